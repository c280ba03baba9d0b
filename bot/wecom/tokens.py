"""Access tokens: one for each secret, shared by all nodes (../shared/wecom/03-tokens-errors-limits.md, 3.1)."""

from collections.abc import Mapping
from datetime import timedelta

import httpx
import structlog
from pydantic import SecretStr

from bot.clock import Clock
from bot.errors import PlatformError, PlatformMisconfigured, PlatformUnavailable
from bot.wecom.credentials import Fetched, Keeper, MemoryShelf, Source
from bot.wecom.errcodes import Reaction, reaction_to
from bot.wecom.http import read_json

log = structlog.get_logger("bot.wecom.tokens")

API = "GET /cgi-bin/gettoken"


class TokenStore:
    """Gives the access token of an application by its name in the settings ("app", "kf", "contact", "archive" …).

    Without a keeper it keeps them in memory, for one process. Two names with one secret share one token.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        clock: Clock,
        corp_id: str,
        secrets: Mapping[str, SecretStr],
        keeper: Keeper | None = None,
    ) -> None:
        self._http = http
        self._corp_id = corp_id
        self._keeper = keeper or Keeper(MemoryShelf(), clock, "alone")
        self._sources = self._make_sources(secrets)

    def _make_sources(self, secrets: Mapping[str, SecretStr]) -> dict[str, Source]:
        by_secret: dict[str, Source] = {}
        sources: dict[str, Source] = {}
        for app, secret in secrets.items():
            words = secret.get_secret_value()
            if words:
                sources[app] = by_secret.setdefault(words, self._make_source(app, words))
        return sources

    def _make_source(self, app: str, secret: str) -> Source:
        async def fetch() -> Fetched:
            return await fetch_token(self._http, self._corp_id, secret)

        return Source(name=f"token:{app}", api=API, secret=f"{self._corp_id}\0{secret}", fetch=fetch)

    async def get(self, app: str) -> str:
        """Return a token that is good for some minutes yet.

        Raises:
            PlatformMisconfigured: the platform does not accept the secret, or there is none.
            PlatformUnavailable: it does not answer.
        """
        return await self._keeper.get(self._source(app))

    async def renew(self, app: str, bad: str) -> str:
        """Return another token than one the platform called bad; the same, when it gives no other.

        Raises:
            PlatformMisconfigured, PlatformUnavailable: as for `get`.
        """
        return await self._keeper.renew(self._source(app), bad)

    async def refresh_ahead(self) -> None:
        """Renew what will soon end, for all nodes. Called by a timer; what fails is tried again by its next tick."""
        for source in {source.name: source for source in self._sources.values()}.values():
            try:
                await self._keeper.refresh_ahead(source)
            except PlatformError as error:
                log.warning("token.not_refreshed", name=source.name, errcode=error.errcode)

    async def allow_again(self, app: str) -> None:
        """Have the secret tried again after a refusal: an administrator has mended the cause."""
        await self._keeper.allow_again(self._source(app).name)

    def secret_of(self, app: str) -> str:
        """Return what seals an application's credentials.

        Raises:
            PlatformMisconfigured: no secret is configured for it.
        """
        return self._source(app).secret

    def _source(self, app: str) -> Source:
        source = self._sources.get(app)
        if source is None:
            raise PlatformMisconfigured(API, 41004, f"no secret is configured for {app}")
        return source


async def fetch_token(http: httpx.AsyncClient, corp_id: str, secret: str) -> Fetched:
    """Ask for a token.

    Raises:
        PlatformMisconfigured: it is refused; asking again does not help.
        PlatformUnavailable: no answer, or one that says "later".
    """
    try:
        response = await http.get("/cgi-bin/gettoken", params={"corpid": corp_id, "corpsecret": secret})
    except httpx.HTTPError as error:
        raise PlatformUnavailable(API, errmsg=type(error).__name__) from None  # the address holds the secret
    answer = read_json(API, response)
    errcode = int(answer.get("errcode") or 0)
    if errcode == 0 and answer.get("access_token"):
        return Fetched(str(answer["access_token"]), timedelta(seconds=int(answer.get("expires_in") or 7200)))
    errmsg = str(answer.get("errmsg", ""))
    if errcode == 0 or reaction_to(errcode) in (Reaction.RETRY, Reaction.SLOW):
        raise PlatformUnavailable(API, errcode or -1, errmsg)
    raise PlatformMisconfigured(API, errcode, errmsg)
