"""The page 渠道边界: what the platform allows in each channel, so that nobody promises a customer more."""

from fastapi import APIRouter
from starlette.responses import Response

from console.channels import CHANNELS
from console.rights import Right
from console.routing import CurrentView, needs

router = APIRouter()


@router.get("/channels", dependencies=[needs(Right.SIGNED_IN)])
async def show_channels(view: CurrentView) -> Response:
    """Show all channels."""
    return view.page("channels/page.html", channels=CHANNELS)
