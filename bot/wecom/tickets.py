"""JS tickets: what signs a page's address for the JS-SDK (09-oauth-jssdk.md, 9.2), kept like tokens.

They are scarce (400 an hour for the corp, 100 for an app), so all nodes share them.
"""

from datetime import timedelta
from enum import StrEnum

from bot.errors import PlatformUnavailable
from bot.wecom.client import WeComClient
from bot.wecom.credentials import Fetched, Keeper, Source
from bot.wecom.tokens import TokenStore


class TicketKind(StrEnum):
    """What a ticket signs: `wx.config` with the corp's, `wx.agentConfig` with the application's."""

    CORP = "corp"
    AGENT_CONFIG = "agent_config"


_APIS = {TicketKind.CORP: "GET /cgi-bin/get_jsapi_ticket", TicketKind.AGENT_CONFIG: "GET /cgi-bin/ticket/get"}


class TicketStore:
    """Gives tickets."""

    def __init__(self, client: WeComClient, tokens: TokenStore, keeper: Keeper) -> None:
        self._client = client
        self._tokens = tokens
        self._keeper = keeper

    async def get(self, kind: TicketKind, app: str = "app") -> str:
        """Return a ticket that is good for some minutes yet.

        Raises:
            PlatformError: the platform does not give one.
        """
        return await self._keeper.get(self._source(kind, app))

    async def renew(self, kind: TicketKind, bad: str, app: str = "app") -> str:
        """Return another ticket than one the platform called bad (42012); the same, when it gives no other.

        Raises:
            PlatformError: the platform does not give one.
        """
        return await self._keeper.renew(self._source(kind, app), bad)

    def _source(self, kind: TicketKind, app: str) -> Source:
        api = _APIS[kind]

        async def fetch() -> Fetched:
            params = {"type": "agent_config"} if kind is TicketKind.AGENT_CONFIG else {}
            answer = await self._client.call(api, params=params, app=app)
            ticket = str(answer.get("ticket") or "")
            if not ticket:
                raise PlatformUnavailable(api, errmsg="the answer holds no ticket")
            return Fetched(ticket, timedelta(seconds=int(answer.get("expires_in") or 7200)))

        return Source(f"ticket:{kind.value}:{app}", api, self._tokens.secret_of(app), fetch)
