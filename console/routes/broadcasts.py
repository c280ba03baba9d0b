"""Broadcasts with what became of each recipient, and the plans that run by themselves."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bot.errors import NotFound
from console.charts import FunnelStep, draw_funnel
from console.i18n import N_
from console.queries import names_of
from console.render import View
from console.rights import Right, Role
from console.routing import CurrentView, needs
from sop import BroadcastProgress, broadcast_progress, list_broadcasts, list_plans, list_steps
from sop.states import BroadcastState, DeliveryState

router = APIRouter()
_PAGE = 50
_OVER = {BroadcastState.FINISHED, BroadcastState.CANCELLED, BroadcastState.FAILED}
_NOT_BEGUN = {BroadcastState.DRAFT, BroadcastState.CONFIRMED, BroadcastState.SCHEDULED}
_MADE = {DeliveryState.AWAITING_MEMBER, DeliveryState.DELIVERED, DeliveryState.NOT_FRIEND, DeliveryState.QUOTA_USED}


@router.get("/broadcasts", dependencies=[needs(Right.READ_BROADCASTS)])
async def show_broadcasts(view: CurrentView) -> Response:
    """List broadcasts, a manager's own or all, and the plans."""
    async with view.services.db.reading() as tx:
        rows = await list_broadcasts(tx, _only(view), limit=100)
        plans = [(plan, await list_steps(tx, plan.id)) for plan in await list_plans(tx)]
        names = await names_of(tx, [row.creator_id for row in rows])
    return view.page("broadcasts/list.html", rows=rows, plans=plans, names=names)


@router.get("/broadcasts/{broadcast_id}", dependencies=[needs(Right.READ_BROADCASTS)])
async def show_broadcast(
    view: CurrentView, broadcast_id: str, page: Annotated[int, Query(ge=1, le=1000)] = 1
) -> Response:
    """Show one broadcast; the page renews itself until it is over."""
    async with view.services.db.reading() as tx:
        progress = await broadcast_progress(tx, broadcast_id)
        names = await names_of(tx, [progress.creator_id, *(one.owner_id for one in progress.recipients[:500])])
    if _only(view) is not None and view.actor.staff_id not in {
        progress.creator_id,
        *(member.staff_id for member in progress.members),
    }:
        raise NotFound("no such broadcast for this person")
    first = (page - 1) * _PAGE
    return view.page(
        "broadcasts/detail.html",
        fragments={"progress": "broadcasts/_progress.html"},
        progress=progress,
        names=names,
        recipients=progress.recipients[first : first + _PAGE],
        page=page,
        has_more=len(progress.recipients) > first + _PAGE,
        is_over=progress.state in _OVER,
        has_begun=progress.state not in _NOT_BEGUN,
        funnel=_funnel(view, progress),
    )


def _only(view: View) -> str | None:
    """Return whose broadcasts a person sees: managers their own, the others all."""
    return view.actor.staff_id if view.actor.role is Role.RM else None


def _funnel(view: View, progress: BroadcastProgress) -> str:
    planned = progress.recipients_total
    made = sum(count for state, count in progress.counts.items() if state in _MADE)
    waiting = progress.counts.get(DeliveryState.AWAITING_MEMBER, 0)
    steps = (
        FunnelStep(view.gettext(N_("计划发送")), planned),
        FunnelStep(view.gettext(N_("已生成任务")), made),
        FunnelStep(view.gettext(N_("群主已确认")), made - waiting),
        FunnelStep(view.gettext(N_("已送达")), progress.recipients_delivered),
    )
    return draw_funnel(view.gettext(N_("群发进展")), steps, view.gettext(N_("数据表")))
