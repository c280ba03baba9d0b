"""The first page: a manager's to-dos of today, an officer's queue, an administrator's health report."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from bot.clock import CHINA
from bot.ids import StaffId
from compliance.review import queue_counts
from console.i18n import N_
from console.render import View
from console.reviewers import reviewer_of
from console.rights import Right
from console.routes.health import say
from console.routing import CurrentView, needs
from console.watermark import draw_watermark
from sop import access_todo, do_complete_todo, list_broadcasts, list_todos

router = APIRouter()
_RECENT = 5


@router.get("/", dependencies=[needs(Right.SIGNED_IN)])
async def show_home(view: CurrentView) -> Response:
    """Show what concerns this person."""
    actor = view.actor
    values: dict[str, Any] = {"todos": None, "queue": None, "report": None, "broadcasts": []}
    async with view.services.db.reading() as tx:
        if actor.has(Right.SEND_REPLIES):
            values["todos"] = await list_todos(tx, actor.staff_id, view.today())
        if actor.has(Right.REVIEW_CASES):
            values["queue"] = await queue_counts(tx, reviewer_of(actor), view.now)
        if actor.has(Right.READ_BROADCASTS):
            values["broadcasts"] = (await list_broadcasts(tx))[:_RECENT]
    if actor.has(Right.READ_HEALTH):
        values["report"] = await view.services.health()
    return view.page(
        "home/page.html",
        fragments={"todos": "home/_todos.html"},
        greeting=_greeting(view.now, view),
        say=lambda said: say(view, said),
        **values,
    )


def _greeting(now: datetime, view: View) -> str:
    hour = now.astimezone(CHINA).hour
    if hour < 11:
        return view.gettext(N_("早上好，%(name)s"), name=view.actor.name)
    if hour < 18:
        return view.gettext(N_("下午好，%(name)s"), name=view.actor.name)
    return view.gettext(N_("晚上好，%(name)s"), name=view.actor.name)


@router.post("/todos/done", dependencies=[needs(Right.SEND_REPLIES)])
async def post_todo_done(view: CurrentView, todo_id: Annotated[str, Form(max_length=64)]) -> Response:
    """Tick a to-do off; only one's own."""
    async with view.services.db.transaction() as tx:
        todo = await access_todo(tx, StaffId(view.actor.staff_id), todo_id)
        await do_complete_todo(tx, todo.id, view.now)
    return view.redirect("/", view.gettext(N_("已完成一条待办")))


@router.get("/watermark.svg", dependencies=[needs(Right.SIGNED_IN)])
async def show_watermark(view: CurrentView) -> Response:
    """Draw who is looking and when, to lie over every page."""
    svg = draw_watermark(view.actor.name, view.actor.staff_id, view.now)
    return Response(svg, media_type="image/svg+xml")
