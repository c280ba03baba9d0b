"""Runs what cuts across handlers, then the first route that wants the event."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from bot.context import Context, Reply
from bot.events import Event
from bot.router import Route, Router

C = TypeVar("C", bound=Context)

Next = Callable[[Event, C], Awaitable[Sequence[Reply]]]
Middleware = Callable[[Next[C], Event, C], Awaitable[Sequence[Reply]]]


class Dispatcher(Generic[C]):
    """The routing table, behind the middleware (the first one is the outermost)."""

    def __init__(self, routers: Sequence[Router[C]], middleware: Sequence[Middleware[C]] = ()) -> None:
        self._routes: tuple[Route[C], ...] = tuple(route for router in routers for route in router.routes)
        chain: Next[C] = self._route
        for wrap in reversed(middleware):
            chain = partial(wrap, chain)
        self._chain = chain

    async def dispatch(self, event: Event, ctx: C) -> Sequence[Reply]:
        """Return the replies of the first route that takes the event; none when no route wants it."""
        return await self._chain(event, ctx)

    async def _route(self, event: Event, ctx: C) -> Sequence[Reply]:
        route = next((route for route in self._routes if route.takes(event, ctx)), None)
        ctx.trace.note("route", name=route.name if route else None)
        return await route.handler(event, ctx) if route else ()
