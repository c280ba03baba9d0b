"""What every route uses: the view of the request, and the right it needs on its own line.

    @router.get("/scripts", dependencies=[needs(Right.READ_SCRIPTS)])
    async def show_scripts(view: CurrentView) -> Response: ...

A test walks all routes and fails for one that names no right.
"""

from typing import Annotated, Any

from fastapi import Depends, Request

from bot.errors import Forbidden
from compliance.review import QueueTab, queue_counts
from console.render import Renderer, View
from console.reviewers import reviewer_of
from console.rights import Right


class LoginNeeded(Exception):
    """Nobody is logged in, and the page needs somebody."""


class Needs:
    """The check of one right, as a dependency; `right` is what the test reads."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request) -> None:
        """Raise `LoginNeeded` or `Forbidden` unless whoever asks holds the right."""
        if self.right is Right.PUBLIC:
            return
        principal = getattr(request.state, "principal", None)
        if principal is None:
            raise LoginNeeded
        if not principal.has(self.right):
            raise Forbidden(f"{self.right} is not among the rights of {principal.role}")


def needs(right: Right) -> Any:
    """Name the right a route needs."""
    return Depends(Needs(right))


async def get_view(request: Request) -> View:
    """Return the request's view; for whole pages with the numbers the navigation shows."""
    renderer: Renderer = request.app.state.renderer
    view = View(request, renderer)
    if view.principal is not None and view.fragment is None and view.principal.has(Right.REVIEW_CASES):
        async with view.services.db.reading() as tx:
            counts = await queue_counts(tx, reviewer_of(view.principal), view.now)
        view.nav_counts["review"] = counts[QueueTab.OPEN]
    return view


CurrentView = Annotated[View, Depends(get_view)]
