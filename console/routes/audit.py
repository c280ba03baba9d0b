"""The audit trail, in sentences."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bot import audit
from console.queries import list_audit, names_of
from console.rights import Right
from console.routing import CurrentView, needs

router = APIRouter()
_PAGE = 50


@router.get("/audit", dependencies=[needs(Right.READ_AUDIT)])
async def show_audit(
    view: CurrentView,
    before: Annotated[int | None, Query(ge=1)] = None,
    actor: Annotated[str, Query(max_length=64)] = "",
    verify: bool = False,
) -> Response:
    """List entries, newest first; with `verify` walk the whole chain and say whether it holds."""
    async with view.services.db.reading() as tx:
        entries = await list_audit(tx, before, actor.strip(), _PAGE)
        names = await names_of(tx, [entry.actor for entry in entries])
        check = await audit.verify(tx) if verify else None
    return view.page(
        "audit/page.html",
        entries=entries[:_PAGE],
        more_before=entries[_PAGE - 1].seq if len(entries) > _PAGE else None,
        names=names,
        actor=actor,
        check=check,
    )
