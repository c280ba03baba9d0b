"""The control API's switches: faults, the clock, rules for calls. docs/reference/simulator.md lists them."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from simulator.api.dispatch import ENDPOINTS
from simulator.clock import EARLIEST, FASTEST, LATEST, SimClock, iso
from simulator.faults import (
    WEBSOCKET_API,
    CallbackFaults,
    FaultDesk,
    FaultKind,
    FaultRule,
    nearest_name,
)
from simulator.platform import Platform, platform_of
from simulator.state import Json

LONGEST_WAIT_SECONDS = 3600
DEFAULT_LATENCY_SECONDS = 0.5
DEFAULT_TIMEOUT_SECONDS = 120.0  # longer than any client waits

ThePlatform = Annotated[Platform, Depends(platform_of)]
Probability = Annotated[float, Field(ge=0, le=1)]
Wait = Annotated[float, Field(ge=0, le=LONGEST_WAIT_SECONDS)]


class Strict(BaseModel):
    """A body in which a mistyped field is refused, because it would silently switch nothing."""

    model_config = ConfigDict(extra="forbid")


class FaultIn(Strict):
    """One switch; see `simulator.faults.FaultRule`."""

    api: str = "*"
    kind: FaultKind
    probability: Probability = 1.0
    seconds: Wait | None = None
    errcode: int | None = None
    status: Annotated[int, Field(ge=500, le=599)] = 502
    count: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def errcode_belongs_to_its_kind(self) -> Self:
        """An errcode fault without its number would be answered with success."""
        if self.kind is FaultKind.ERRCODE and not self.errcode:
            raise ValueError("a fault of kind errcode needs an errcode other than 0")
        return self

    def to_rule(self) -> FaultRule:
        """Return the switch with its defaults."""
        usual = DEFAULT_TIMEOUT_SECONDS if self.kind is FaultKind.TIMEOUT else DEFAULT_LATENCY_SECONDS
        return FaultRule(
            api=self.api,
            kind=self.kind,
            probability=self.probability,
            seconds=usual if self.seconds is None else self.seconds,
            errcode=self.errcode or -1,
            status=self.status,
            count=self.count,
        )


class CallbackFaultsIn(Strict):
    """What happens to callbacks; the probabilities are drawn for each."""

    duplicate: Probability = 0.0
    reorder: Probability = 0.0
    lost: Probability = 0.0
    delay_seconds: Wait = 0.0
    kinds: list[Literal["app", "contact", "kf", "archive", "aibot"]] = Field(default_factory=list)


class FaultsIn(Strict):
    """All switches; they replace those before."""

    faults: list[FaultIn] = Field(default_factory=list, max_length=200)
    callbacks: CallbackFaultsIn = Field(default_factory=CallbackFaultsIn)
    seed: int | None = None


class LimitsIn(Strict):
    """The rules to change; see `simulator.config.CallRules`. What is left out stays; null trusts every address."""

    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    calls_per_hour: Annotated[int, Field(ge=0)] = 0
    tokens_per_minute: Annotated[int, Field(ge=0)] = 0
    wrong_secrets_per_hour: Annotated[int, Field(ge=0)] = 0
    debug_calls_per_minute: Annotated[int, Field(ge=0)] = 0
    concurrent_calls: Annotated[int, Field(ge=0)] = 0
    one_writer: bool = True
    trusted_ips: tuple[str, ...] | None = None
    archive_trusted_ips: tuple[str, ...] | None = None
    trusted_ip_at_gettoken: bool = True
    app_state: Literal["active", "disabled", "inactive"] = "active"


class ClockIn(Strict):
    """How to set the clock; what is left out stays. `now` counts before `offset_seconds`; null is the system's time."""

    now: AwareDatetime | None = None
    offset_seconds: float | None = None
    speed: Annotated[float, Field(ge=0, le=FASTEST)] | None = None


class AdvanceIn(Strict):
    """How far to move the clock."""

    seconds: Annotated[float, Field(ge=0, le=LATEST - EARLIEST)]


router = APIRouter(prefix="/_sim")


@router.get("/faults")
async def show_faults(platform: ThePlatform) -> Json:
    """Show the switches with how often each has hit."""
    return _faults(platform.faults)


@router.put("/faults")
async def set_faults(platform: ThePlatform, wanted: FaultsIn, request: Request) -> Json:
    """Replace all switches."""
    known = list_fault_apis(request)
    for fault in wanted.faults:
        nearest = nearest_name(fault.api, known)
        if nearest is not None:
            raise HTTPException(422, f"no API is named {fault.api}; did you mean {nearest}?")
    callbacks = CallbackFaults(**wanted.callbacks.model_dump())
    platform.faults.replace([fault.to_rule() for fault in wanted.faults], callbacks, wanted.seed)
    return _faults(platform.faults)


@router.delete("/faults")
async def clear_faults(platform: ThePlatform) -> Json:
    """Switch all faults off."""
    platform.faults.clear()
    return _faults(platform.faults)


def list_fault_apis(request: Request) -> list[str]:
    """Return every name that a fault switch can have, besides prefixes and `*`."""
    archive = [
        f"{method} {route.path}"
        for route in request.app.routes
        if isinstance(route, APIRoute) and route.path.startswith("/_sdk/")
        for method in sorted(route.methods or ())
    ]
    return [*ENDPOINTS, *archive, WEBSOCKET_API]


def _faults(desk: FaultDesk) -> Json:
    return {
        "faults": [
            {
                "api": rule.api,
                "kind": rule.kind.value,
                "probability": rule.probability,
                "seconds": rule.seconds,
                "errcode": rule.errcode,
                "status": rule.status,
                "count": rule.count,
                "hits": rule.hits,
            }
            for rule in desk.rules
        ],
        "callbacks": {
            "duplicate": desk.callbacks.duplicate,
            "reorder": desk.callbacks.reorder,
            "lost": desk.callbacks.lost,
            "delay_seconds": desk.callbacks.delay_seconds,
            "kinds": desk.callbacks.kinds,
            "hits": {
                "duplicate": desk.callback_hits.duplicate,
                "reorder": desk.callback_hits.reorder,
                "lost": desk.callback_hits.lost,
                "delayed": desk.callback_hits.delayed,
            },
        },
        "seed": desk.seed,
    }


@router.get("/clock")
async def show_clock(platform: ThePlatform) -> Json:
    """Show what time it is."""
    return _clock(platform.clock)


@router.put("/clock")
async def set_clock(platform: ThePlatform, wanted: ClockIn) -> Json:
    """Set the clock, or let it run at another speed."""
    given = wanted.model_fields_set
    at = _wanted_time(platform.clock, wanted)
    if at is not None and not EARLIEST <= at <= LATEST:
        raise HTTPException(422, "the clock goes from the year 2000 to 2100")
    if given & {"now", "offset_seconds"}:
        platform.clock.set(at)
    if wanted.speed is not None:
        platform.clock.run(wanted.speed)
    platform.keep_clock()
    return _clock(platform.clock)


def _wanted_time(clock: SimClock, wanted: ClockIn) -> float | None:
    if wanted.now is not None:
        return wanted.now.timestamp()
    return clock.real() + wanted.offset_seconds if wanted.offset_seconds is not None else None


@router.post("/clock/advance")
async def advance_clock(platform: ThePlatform, wanted: AdvanceIn) -> Json:
    """Move the clock forward."""
    if platform.clock.now() + wanted.seconds > LATEST:
        raise HTTPException(422, "the clock goes from the year 2000 to 2100")
    platform.clock.advance(wanted.seconds)
    platform.keep_clock()
    return _clock(platform.clock)


def _clock(clock: SimClock) -> Json:
    return {
        "now": iso(clock.now()),
        "real": iso(clock.real()),
        "offset_seconds": round(clock.offset_seconds, 3),
        "speed": clock.speed,
    }


@router.get("/limits")
async def show_limits(platform: ThePlatform) -> Json:
    """Show the rules for calls of every API, and who is blocked by them."""
    return platform.limits.show()


@router.put("/limits")
async def set_limits(platform: ThePlatform, wanted: LimitsIn) -> Json:
    """Change rules; blocks and bans go on."""
    platform.limits.change(wanted.model_dump(exclude_unset=True))
    return platform.limits.show()


@router.delete("/limits")
async def reset_limits(platform: ThePlatform) -> Json:
    """Go back to the rules of the start, and lift blocks and bans."""
    platform.limits.forget()
    return platform.limits.show()


@router.post("/tokens/revoke")
async def revoke_tokens(platform: ThePlatform) -> Json:
    """Kill all access tokens, as when the corp's secrets were reset."""
    return {"revoked": platform.tokens.revoke_all()}
