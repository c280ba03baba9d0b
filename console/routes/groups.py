"""Customer groups: what the platform allows in each, and the probe whether the AI bot may be there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bot import audit
from bot.ids import GroupChatId
from console.i18n import N_
from console.queries import names_of
from console.rights import Right
from console.routing import CurrentView, needs
from customers import ProbeState, do_start_probe, list_groups, probe_state

router = APIRouter()
_PAGE = 50


@dataclass(frozen=True, slots=True)
class _GroupLine:
    """A group as the table shows it."""

    id: str
    name: str
    owner: str
    member_count: int
    state: ProbeState
    at: datetime | None


@router.get("/groups", dependencies=[needs(Right.PROBE_GROUPS)])
async def show_groups(
    view: CurrentView,
    q: Annotated[str, Query(max_length=100)] = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    """List groups with what is known of each; the list follows what is typed."""
    now = view.services.clock.now()
    async with view.services.db.reading() as tx:
        rows = await list_groups(tx, q.strip(), limit=_PAGE + 1, offset=(page - 1) * _PAGE)
        owners = await names_of(tx, [row.owner_id for row in rows])
    lines = [
        _GroupLine(
            id=row.id,
            name=row.name,
            owner=owners.get(row.owner_id, row.owner_id),
            member_count=row.member_count,
            state=probe_state(row.aibot, row.aibot_probed_at, now),
            at=row.aibot_seen_at or row.aibot_probed_at,
        )
        for row in rows[:_PAGE]
    ]
    return view.page(
        "groups/page.html",
        fragments={"groups": "groups/_list.html"},
        groups=lines,
        q=q,
        page=page,
        has_more=len(rows) > _PAGE,
        waiting=any(line.state is ProbeState.WAITING for line in lines),
    )


@router.post("/groups/{chat_id}/probe", dependencies=[needs(Right.PROBE_GROUPS)])
async def start_probe(view: CurrentView, chat_id: str) -> Response:
    """Begin a probe: forget what was known of the group and wait for somebody to mention the bot there."""
    now = view.services.clock.now()
    async with view.services.db.transaction() as tx:
        await do_start_probe(tx, GroupChatId(chat_id), now)
        await audit.record(
            tx, actor=view.actor.staff_id, action="group.probed", subject=f"group:{chat_id}", details={}, now=now
        )
    return view.redirect("/groups", N_("已开始试探：请在十分钟内到群里 @ 一次机器人。"))
