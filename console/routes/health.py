"""The health page: is the service well, and what to do when it is not."""

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from bot.wecom.reasons import explain
from console.health import Said
from console.render import View
from console.rights import Right
from console.routing import CurrentView, needs

router = APIRouter()


@router.get("/health", dependencies=[needs(Right.READ_HEALTH)])
async def show_health(view: CurrentView) -> Response:
    """Show all checks, renewed while the page is open."""
    report = await view.services.health()
    return view.page(
        "health/page.html",
        fragments={"checks": "health/_checks.html"},
        report=report,
        say=lambda said: say(view, said),
        reason=lambda errcode: explain(errcode, view.language),
    )


def say(view: View, said: Said) -> str:
    """Return a check's words in the reader's language; times in them as the reader should see them."""
    values = {name: view.when(value) if isinstance(value, datetime) else value for name, value in said.values.items()}
    return view.gettext(said.text, **values)
