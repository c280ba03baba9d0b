"""The control API's view of callbacks: the log, one of them whole, sending one again, and the check of the URLs."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict

from simulator import views
from simulator.callbacks import Delivery, DeliveryState
from simulator.config import CallbackTarget
from simulator.platform import Platform, platform_of
from simulator.state import Json

Kind = Literal["app", "contact", "kf", "archive", "aibot"]
KINDS: tuple[Kind, ...] = ("app", "contact", "kf", "archive", "aibot")
ThePlatform = Annotated[Platform, Depends(platform_of)]
router = APIRouter(prefix="/_sim")


class CheckIn(BaseModel):
    """Which callback URL to check; without a kind, all of them."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind | None = None


@router.get("/callbacks")
async def list_callbacks(
    platform: ThePlatform,
    state: DeliveryState | None = None,
    kind: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> list[Json]:
    """Show the delivery log, newest first."""
    return views.show_callbacks(platform, state, kind, limit)


@router.get("/callbacks/{number}")
async def show_callback(platform: ThePlatform, number: str) -> Json:
    """Show one callback with what it says in clear."""
    delivery = _need_delivery(platform, number)
    return {**views.show_delivery(delivery), "body": delivery.plaintext}


@router.post("/callbacks/{number}/redeliver")
async def redeliver(platform: ThePlatform, number: str) -> Json:
    """Post a callback once more, with the same content and a fresh signature."""
    return {"callback": platform.callbacks.send_again(_need_delivery(platform, number)).id}


@router.post("/callbacks/check")
async def check_callbacks(platform: ThePlatform, wanted: CheckIn) -> list[Json]:
    """Ask the callback URLs to prove themselves, as the platform does when they are saved."""
    kinds = KINDS if wanted.kind is None else (wanted.kind,)
    targets = {kind: platform.config.callback_of(kind) for kind in kinds}
    return list(await asyncio.gather(*(_check(platform, kind, target) for kind, target in targets.items())))


async def _check(platform: Platform, kind: str, target: CallbackTarget) -> Json:
    found = await platform.callbacks.probe(target)
    return {
        "kind": kind,
        "url": target.url,
        "ok": found.ok,
        "code": found.code,
        "status": found.status,
        "zh": found.zh,
        "en": found.en,
    }


def _need_delivery(platform: Platform, number: str) -> Delivery:
    delivery = platform.callbacks.log.get(number)
    if delivery is None:
        raise HTTPException(404, "no such callback, or it is older than the last 5000")
    return delivery
