"""The HTTP server of the simulator: the platform's APIs, the archive SDK stand-in and the control API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator import control, sdk
from simulator.api.dispatch import answer_api
from simulator.callbacks import Delivery
from simulator.clock import SimClock
from simulator.config import SimConfig
from simulator.passive import read_reply
from simulator.platform import Platform
from simulator.storage import Journal


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

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await platform.close()

    # no pages of API docs: they would load scripts from other hosts
    app = FastAPI(title="WeCom simulator", lifespan=lifespan, openapi_url=None)
    app.state.platform = platform
    # include_router would analyse all routes again for every app: 17 ms instead of 3, felt in a suite of hundreds
    app.router.routes.extend([*control.router.routes, *sdk.router.routes])

    @app.api_route("/cgi-bin/{path:path}", methods=["GET", "POST"])
    async def api(path: str, request: Request) -> Response:
        return await answer_api(platform, request)

    app.add_middleware(DurableAnswers, journal=platform.journal)
    return app
