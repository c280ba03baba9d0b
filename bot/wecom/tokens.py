"""Access tokens: one for each secret, kept until shortly before they expire, fetched by one caller at a time.

Nodes keep their own copy: inside its lifetime the platform gives every caller the same token
(../shared/wecom/03-tokens-errors-limits.md, 3.1).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from pydantic import SecretStr

from bot.clock import Clock
from bot.errors import PlatformMisconfigured, PlatformUnavailable
from bot.wecom.http import read_json

_EARLY = timedelta(minutes=5)
_API = "GET /cgi-bin/gettoken"


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    good_until: datetime


class TokenStore:
    """Gives the access token of an application by its name in the settings ("app", "kf")."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock, corp_id: str, secrets: Mapping[str, SecretStr]) -> None:
        self._http = http
        self._clock = clock
        self._corp_id = corp_id
        self._secrets = secrets
        self._tokens: dict[str, _Token] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        # A wrong secret asked again and again bans our address for an hour: after one refusal, no more until restart.
        self._refused: dict[str, PlatformMisconfigured] = {}

    async def get(self, app: str) -> str:
        """Return a token that is good for some minutes yet.

        Raises:
            PlatformMisconfigured: the platform does not accept the secret.
            PlatformUnavailable: it does not answer.
        """
        async with self._locks.setdefault(app, asyncio.Lock()):
            token = self._tokens.get(app)
            if token is None or token.good_until <= self._clock.now():
                token = await self._fetch(app)
                self._tokens[app] = token
            return token.value

    def forget(self, app: str, value: str) -> None:
        """Drop a token that the platform called bad, unless a newer one is there already."""
        token = self._tokens.get(app)
        if token is not None and token.value == value:
            del self._tokens[app]

    async def _fetch(self, app: str) -> _Token:
        if app in self._refused:
            raise self._refused[app]
        secret = self._secrets.get(app)
        if secret is None or not secret.get_secret_value():
            raise PlatformMisconfigured(_API, 41004, f"no secret is configured for {app}")
        params = {"corpid": self._corp_id, "corpsecret": secret.get_secret_value()}
        try:
            response = await self._http.get("/cgi-bin/gettoken", params=params)
        except httpx.HTTPError as error:
            raise PlatformUnavailable(_API, errmsg=type(error).__name__) from None  # the address holds the secret
        answer = read_json(_API, response)
        errcode = int(answer.get("errcode") or 0)
        if errcode == -1:
            raise PlatformUnavailable(_API, errcode, str(answer.get("errmsg", "")))
        if errcode:
            refusal = PlatformMisconfigured(_API, errcode, str(answer.get("errmsg", "")))
            if errcode in (40001, 40013, 40091):
                self._refused[app] = refusal
            raise refusal
        lifetime = timedelta(seconds=int(answer.get("expires_in", 7200)))
        return _Token(str(answer["access_token"]), self._clock.now() + max(lifetime - _EARLY, lifetime / 2))
