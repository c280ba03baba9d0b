"""The HTTP server of the simulator: the platform's APIs, the archive SDK stand-in and the control API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator import aibot_control, control, pages, sdk
from simulator.api.dispatch import answer_api
from simulator.callbacks import Delivery
from simulator.clock import SimClock
from simulator.config import SimConfig
from simulator.faulty import FaultyAnswers, hang_up
from simulator.passive import read_reply
from simulator.platform import Platform
from simulator.storage import Journal
from simulator.transferring import settle


class DurableAnswers:
    """Write what a request changed before its answer begins, so that no answer tells of a change that can be lost."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; flush when its answer starts."""

        async def send_after_flush(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._journal.flush()
            await send(message)

        await self._app(scope, receive, send_after_flush)


class SimulatorApp(FastAPI):
    """The server of one simulated corp; what it simulates is at `state.platform`."""

    def __init__(self, platform: Platform, **options: Any) -> None:
        super().__init__(**options)
        self.state.platform = platform
        self._limits = platform.limits
        # outermost, because closing a connection without an answer needs the server's own `send`
        self._front = FaultyAnswers(super().__call__, platform.faults, platform.tokens.revoke)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, unless a fault switch is in the way."""
        if scope["type"] == "websocket":
            scope["hang_up"] = partial(hang_up, send)
        if scope["type"] != "http":
            await self._front(scope, receive, send)
            return
        api, limits = f"{scope['method']} {scope['path']}", self._limits
        scope["arrived_at"] = asyncio.get_running_loop().time()
        limits.enter(api)
        try:
            await self._front(scope, receive, send)
        finally:
            limits.leave(api)


def create_app(
    config: SimConfig,
    clock: SimClock | None = None,
    callback_transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """Build the server of one simulated corp.

    `clock` lets a test move time; `callback_transport` lets it receive callbacks without a socket. The `Platform`
    is at `app.state.platform`. Closing (the lifespan's end) stops deliveries and makes the state durable.
    """
    platform = Platform(config, clock or SimClock(), callback_transport)

    def on_reply(delivery: Delivery, text: str) -> None:
        read_reply(platform, delivery, text)

    platform.callbacks.on_reply = on_reply
    platform.on_clock_moved = partial(settle, platform)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await platform.close()

    # no pages of API docs: they would load scripts from other hosts
    app = SimulatorApp(platform, title="WeCom simulator", lifespan=lifespan, openapi_url=None)
    # include_router would analyse all routes again for every app: 17 ms instead of 3, felt in a suite of hundreds
    routers = (control.router, aibot_control.router, pages.router, sdk.router)
    app.router.routes.extend(route for router in routers for route in router.routes)

    @app.api_route("/cgi-bin/{path:path}", methods=["GET", "POST"])
    async def api(path: str, request: Request) -> Response:
        settle(platform)
        return await answer_api(platform, request)

    app.add_middleware(DurableAnswers, journal=platform.journal)
    return app
