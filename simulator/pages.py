"""Pages of the platform that a person's browser meets: the login page (09, 9.1) and uploaded pictures."""

import base64
import html
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from simulator.errors import ApiError
from simulator.login import check_request, make_redirect
from simulator.platform import Platform, platform_of

PERSON = "sim_person"
SHOWN_PEOPLE = 60
ThePlatform = Annotated[Platform, Depends(platform_of)]
router = APIRouter()


@router.get("/connect/oauth2/authorize")
async def authorize(platform: ThePlatform, request: Request) -> Response:
    """Send the browser back with a code for `sim_person`; without one ask whose phone this is."""
    query = dict(request.query_params)
    try:
        check_request(platform, query)
    except ApiError as error:
        return HTMLResponse(f"<p>{error.errcode} {html.escape(error.errmsg)}</p>", 400)
    person = query.pop(PERSON, "")
    if not person:
        return HTMLResponse(_chooser(platform, query))
    if platform.world.find_member(person) is None and platform.world.customers.find(person) is None:
        raise HTTPException(404, "no such person")
    return RedirectResponse(make_redirect(platform, query, person), 302)


def _chooser(platform: Platform, query: dict[str, str]) -> str:
    rows = "".join(
        f'<li><a href="?{html.escape(urlencode({**query, PERSON: member.userid}))}">'
        f"{html.escape(member.name)}（{html.escape(member.userid)}）</a></li>"
        for member in list(platform.world.members.rows.values())[:SHOWN_PEOPLE]
    )
    title = "以谁的身份登录？"
    return f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><ul>{rows}</ul>'


@router.get("/_images/{image_id}")
async def image(platform: ThePlatform, image_id: str) -> Response:
    """Show a permanent picture of `media/uploadimg`."""
    found = platform.world.images.find(image_id)
    if found is None:
        raise HTTPException(404, "no such picture")
    return Response(base64.b64decode(found.content), media_type=found.content_type)
