"""The platform's API by name: tokens, pace, errors by their code, and whether a failed request may have been carried
out.

One call is at most a few requests: a bad token is replaced once, and what can be repeated without harm is repeated a
little later when the platform asks for it. Everything that must not be lost is repeated by the outbox, not here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, Protocol

import httpx
import structlog

from bot.errors import PlatformError, PlatformMisconfigured, PlatformUnavailable, RateLimited, TokenExpired
from bot.wecom.errcodes import error_for, is_success
from bot.wecom.http import read_json
from bot.wecom.pace import Pace, Unpaced, describe, retry_wait
from bot.wecom.tokens import TokenStore

log = structlog.get_logger("bot.wecom.client")

NO_TOKEN = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A file as the platform gave it. `filename` is the one it names, empty when it names none."""

    content: bytes
    content_type: str
    filename: str


class Watch(Protocol):
    """Is told what administrators must know (bot/alerts)."""

    async def failed(self, api: str, app: str, error: PlatformError) -> None:
        """Note a refusal; called for every error, decides itself."""
        ...

    async def worked(self, api: str, app: str) -> None:
        """Note a success, which settles an earlier refusal."""
        ...


_Send = Callable[[Mapping[str, str]], Awaitable[httpx.Response]]


class WeComClient:
    """Calls the platform. One for the process; what it must remember is with `tokens` and `pace`."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        tokens: TokenStore,
        pace: Pace | None = None,
        watch: Watch | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._pace = pace or Unpaced()
        self._watch = watch
        self._sleep = sleep

    async def call(
        self,
        api: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        app: str = "app",
        late: Callable[[], Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Call an API by its method and path, e.g. `POST /cgi-bin/message/send`, and return the answer's fields.

        `late` gives fields that can only be told when the request leaves: a token or a permit may be waited for first.

        `app` names the secret whose token is used; `NO_TOKEN` for an API that takes none (the group webhook). A
        bad-token answer fetches a new token and calls once more, never a third time. Codes that count as done (for
        example 95033, a message id used before) are success.

        Raises:
            PlatformError: the leaf that its error code calls for (bot/errors.py).
        """
        method, _, path = api.partition(" ")

        async def send(query: Mapping[str, str]) -> httpx.Response:
            if method == "GET":
                return await self._http.get(path, params=dict(query))
            return await self._http.post(path, params=dict(query), json={**(body or {}), **(late() if late else {})})

        return (await self._exchange(_Call(api, app, params or {}, body or {}), send)).fields

    async def upload(
        self,
        api: str,
        *,
        params: Mapping[str, str],
        filename: str,
        content: bytes,
        content_type: str,
        app: str = "app",
    ) -> dict[str, Any]:
        """Send a file in the form field `media` (04-sending.md, 4.6) and return the answer's fields.

        Raises:
            PlatformError: as for `call`.
        """
        _, _, path = api.partition(" ")

        async def send(query: Mapping[str, str]) -> httpx.Response:
            return await self._http.post(path, params=dict(query), files={"media": (filename, content, content_type)})

        return (await self._exchange(_Call(api, app, params, {}), send)).fields

    async def download(self, api: str, *, params: Mapping[str, str], app: str = "app") -> Download:
        """Fetch a file: the answer is its bytes, or JSON when there is an error (90254).

        Raises:
            PlatformError: as for `call`.
        """
        _, _, path = api.partition(" ")

        async def send(query: Mapping[str, str]) -> httpx.Response:
            return await self._http.get(path, params=dict(query))

        response = (await self._exchange(_Call(api, app, params, {}, is_file=True), send)).response
        content_type = response.headers.get("content-type", "application/octet-stream")
        return Download(response.content, content_type, _filename(response))

    async def _exchange(self, call: "_Call", send: _Send) -> "_Answer":
        """Do one call with all it takes; returns an answer without an error code."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = await self._with_good_token(call, send)
            except PlatformError as error:
                wait = retry_wait(call.api, error, attempt)
                if wait is None:
                    if self._watch is not None:
                        await self._watch.failed(call.api, call.app, error)
                    raise
                log.info("call.again", api=call.api, errcode=error.errcode, attempt=attempt)
                await self._sleep(wait)
            else:
                if self._watch is not None:
                    await self._watch.worked(call.api, call.app)
                return answer

    async def _with_good_token(self, call: "_Call", send: _Send) -> "_Answer":
        if call.app == NO_TOKEN:
            return await self._once(call, send, call.params)
        token = await self._tokens.get(call.app)
        try:
            return await self._once(call, send, {**call.params, "access_token": token})
        except TokenExpired:
            log.info("token.refused", api=call.api, app=call.app)
        token = await self._tokens.renew(call.app, token)
        try:
            return await self._once(call, send, {**call.params, "access_token": token})
        except TokenExpired as error:
            if error.errcode == 40001:  # a fresh token, and still: it is the wrong application's (03, 3.3)
                raise PlatformMisconfigured(call.api, error.errcode, error.errmsg) from None
            raise

    async def _once(self, call: "_Call", send: _Send, query: Mapping[str, str]) -> "_Answer":
        demand = describe(call.api, call.app, call.params, call.body)
        async with self._pace.permit(demand):
            response = await self._request(call.api, send, query)
        fields = {} if call.is_file and _is_file(response) else read_json(call.api, response)
        errcode, errmsg = int(fields.get("errcode") or 0), str(fields.get("errmsg", ""))
        if is_success(errcode):
            await self._pace.worked(demand)
            return _Answer(response, fields)
        error = error_for(call.api, errcode, errmsg)
        if isinstance(error, RateLimited):
            error.retry_after_seconds = await self._pace.refused(demand, errcode)
        raise error

    async def _request(self, api: str, send: _Send, query: Mapping[str, str]) -> httpx.Response:
        try:
            return await send(query)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise PlatformUnavailable(api, errmsg=type(error).__name__) from None  # the address holds the token
        except httpx.HTTPError as error:
            raise PlatformUnavailable(api, errmsg=type(error).__name__, maybe_done=True) from None


@dataclass(frozen=True, slots=True)
class _Call:
    api: str
    app: str
    params: Mapping[str, str]
    body: Mapping[str, Any]
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    response: httpx.Response
    fields: dict[str, Any]


def _is_file(response: httpx.Response) -> bool:
    """Tell a file from an error: an error is JSON, however it is announced, and never comes as an attachment."""
    if not response.is_success:
        return False
    if "content-disposition" in response.headers:
        return True
    kind = response.headers.get("content-type", "")
    return not (kind.startswith(("application/json", "text/")) or response.content[:1] == b"{")


def _filename(response: httpx.Response) -> str:
    header = Message()
    header["content-disposition"] = response.headers.get("content-disposition", "")
    return header.get_filename("") or ""
