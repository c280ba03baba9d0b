"""The library of approved wording, to look things up in."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bot.errors import NotFound
from console.rights import Right
from console.routing import CurrentView, needs
from knowledge_base import list_categories, list_products, list_scripts, list_versions, render_preview, shelf_of

router = APIRouter()


@router.get("/scripts", dependencies=[needs(Right.READ_SCRIPTS)])
async def show_scripts(
    view: CurrentView,
    q: Annotated[str, Query(max_length=100)] = "",
    category: Annotated[str, Query(max_length=100)] = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    """List scripts; the list follows what is typed."""
    async with view.services.db.reading() as tx:
        found = await list_scripts(tx, q.strip(), category or None, page)
        categories = await list_categories(tx)
    return view.page(
        "scripts/list.html",
        fragments={"results": "scripts/_results.html"},
        found=found,
        categories=categories,
        q=q,
        category=category,
    )


@router.get("/scripts/{script_id}", dependencies=[needs(Right.READ_SCRIPTS)])
async def show_script(view: CurrentView, script_id: str) -> Response:
    """Show a script with all its versions."""
    async with view.services.db.reading() as tx:
        versions = await list_versions(tx, script_id)
        shelf = shelf_of(await list_products(tx))
    if not versions:
        raise NotFound(f"no script {script_id}")
    shown = next((version for version in versions if version.state == "approved"), versions[0])
    return view.page(
        "scripts/detail.html",
        shown=shown,
        versions=versions,
        is_valid=shown.script.is_valid(view.today()),
        preview=render_preview(shown.script, {}, shelf),
    )
