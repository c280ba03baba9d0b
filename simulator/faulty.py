"""Acts out the fault switches on HTTP requests, in front of everything the simulated platform answers."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.errors import ApiError
from simulator.faults import FaultDesk, FaultKind, FaultRule

SIDES = ("/cgi-bin/", "/_sdk/")  # what the product calls; the control API never fails
BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class HungUpError(ConnectionError):
    """The simulated platform closed the connection without an answer (only seen when there is no socket to close)."""


class FaultyAnswers:
    """Asks the desk about each request and lets it fail as decided; `revoke` ends the life of an access token."""

    def __init__(self, app: ASGIApp, desk: FaultDesk, revoke: Callable[[str], None]) -> None:
        self._app = app
        self._desk = desk
        self._revoke = revoke

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or not."""
        if scope["type"] != "http" or not self._desk.rules or not scope["path"].startswith(SIDES):
            await self._app(scope, receive, send)
            return
        api = f"{scope['method']} {scope['path']}"
        token = QueryParams(scope["query_string"]).get("access_token", "")
        plan = self._desk.draw(api, token)
        if plan.wait_seconds:
            await asyncio.sleep(plan.wait_seconds)
        if plan.rule is None:
            await self._app(scope, receive, send)
        elif plan.rule.kind is FaultKind.TOKEN_REVOKED:
            self._revoke(token)
            await self._app(scope, receive, send)
        else:
            await self._fail(plan.rule, scope, receive, send)

    async def _fail(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.kind is FaultKind.TIMEOUT:
            await _wait_for_hang_up(receive, rule.seconds)
            hang_up(send)
        elif rule.kind is FaultKind.NO_ANSWER_BUT_DONE:
            await self._app(scope, receive, _Kept().take)
            hang_up(send)
        elif rule.kind is FaultKind.TRUNCATED:
            kept = _Kept()
            await self._app(scope, receive, kept.take)
            await _answer(send, kept.status, kept.body[: len(kept.body) // 2], kept.headers)
        else:
            await _read_all(receive)
            await _refuse(rule, scope, send)


async def _refuse(rule: FaultRule, scope: Scope, send: Send) -> None:
    """Answer without having done anything."""
    if rule.kind is FaultKind.HTTP_5XX:
        await _answer(send, rule.status, BAD_GATEWAY, [(b"content-type", b"text/html")])
        return
    errcode = 0 if rule.kind is FaultKind.TRUNCATED_UNDONE else rule.errcode
    body = json.dumps(_error_body(errcode, scope)).encode()
    if rule.kind is FaultKind.TRUNCATED_UNDONE:
        body = body[: len(body) // 2]
    headers = [(b"content-type", b"application/json")]
    if scope["path"].startswith("/_sdk/"):
        headers.append((b"x-sdk-ret", str(errcode).encode()))  # where the native library looks
    await _answer(send, 200, body, headers)


def _error_body(errcode: int, scope: Scope) -> dict[str, Any]:
    error = ApiError(errcode, None if errcode else "ok")
    body = {**error.answer(), "errmsg": f"{error.errmsg} [{scope['method']} {scope['path']}]"}
    # the library reads `ret` where the server's APIs have `errcode`
    return {**body, "ret": errcode} if scope["path"].startswith("/_sdk/") else body


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _read_all(receive: Receive) -> None:
    """Take the whole request, as a proxy in front of a broken server does."""
    while (await receive()).get("more_body"):
        pass


async def _wait_for_hang_up(receive: Receive, seconds: float) -> None:
    """Take the request and say nothing, until the other side gives up or `seconds` are over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass


def hang_up(send: Send) -> None:
    """Close the connection without an answer.

    Raises:
        HungUpError: the server in front has no connection to close (a test without a socket).
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise HungUpError("closed without an answer")
    transport.abort()


class _Kept:
    """An answer that is kept instead of being sent."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def take(self, message: Message) -> None:
        """Keep one message of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
