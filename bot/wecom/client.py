"""The platform's API by name: tokens, errors by their code, and whether a failed request may have been carried out."""

from collections.abc import Mapping
from typing import Any

import httpx
import structlog

from bot.errors import (
    PlatformError,
    PlatformMisconfigured,
    PlatformUnavailable,
    RateLimited,
    RecipientUnavailable,
    TokenExpired,
)
from bot.wecom.errcodes import Reaction, reaction_to
from bot.wecom.http import read_json
from bot.wecom.tokens import TokenStore

log = structlog.get_logger("bot.wecom.client")

# No relation, not a friend, out of range, refused to be contacted: about this recipient, not about the request.
_RECIPIENT_CODES = frozenset({84061, 40096, 60111, 41050, 95000, 95001, 95002})


class WeComClient:
    """Calls the platform. One for the process; it holds no state but tokens."""

    def __init__(self, http: httpx.AsyncClient, tokens: TokenStore) -> None:
        self._http = http
        self._tokens = tokens

    async def call(
        self,
        api: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        app: str = "app",
    ) -> dict[str, Any]:
        """Call an API by its method and path, e.g. `POST /cgi-bin/message/send`, and return the answer's fields.

        A bad-token answer fetches a new token and calls once more, never a third time. Codes that count as done
        (for example 95033, a message id used before) are success.

        Raises:
            PlatformError: the leaf that its error code calls for (bot/errors.py).
        """
        token = await self._tokens.get(app)
        try:
            return await self._once(api, body, params, token)
        except TokenExpired:
            self._tokens.forget(app, token)
        log.info("token.refreshed", api=api, app=app)
        return await self._once(api, body, params, await self._tokens.get(app))

    async def _once(
        self, api: str, body: Mapping[str, Any] | None, params: Mapping[str, str] | None, token: str
    ) -> dict[str, Any]:
        method, _, path = api.partition(" ")
        query = {**(params or {}), "access_token": token}
        answer = read_json(api, await self._request(api, method, path, query, body))
        errcode = int(answer.get("errcode") or 0)
        reaction = reaction_to(errcode)
        if reaction in (Reaction.OK, Reaction.DONE):
            return answer
        raise _error(api, errcode, str(answer.get("errmsg", "")), reaction)

    async def _request(
        self, api: str, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> httpx.Response:
        try:
            if method == "GET":
                return await self._http.get(path, params=dict(query))
            return await self._http.post(path, params=dict(query), json=dict(body or {}))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise PlatformUnavailable(api, errmsg=type(error).__name__) from None  # the address holds the token
        except httpx.HTTPError as error:
            raise PlatformUnavailable(api, errmsg=type(error).__name__, maybe_done=True) from None


def _error(api: str, errcode: int, errmsg: str, reaction: Reaction) -> PlatformError:
    if errcode in _RECIPIENT_CODES:
        return RecipientUnavailable(api, errcode, errmsg)
    match reaction:
        case Reaction.REFRESH:
            return TokenExpired(api, errcode, errmsg)
        case Reaction.SLOW:
            return RateLimited(api, errcode, errmsg)
        case Reaction.RETRY:
            return PlatformUnavailable(api, errcode, errmsg)
        case Reaction.CONFIG:
            return PlatformMisconfigured(api, errcode, errmsg)
        case _:
            return PlatformError(api, errcode, errmsg)
