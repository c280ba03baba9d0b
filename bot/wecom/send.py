"""Which way a reply takes to the platform. Called by the outbox sender and by nobody else."""

from datetime import datetime
from typing import assert_never

import httpx

from bot.context import BotChat, CardUpdate, GroupSend, KfChat, KfHandOver, KfWelcome, StaffChat, Welcome
from bot.errors import PlatformError
from bot.wecom.api.wire import RequestInvalid
from bot.wecom.bot_message import BotWay
from bot.wecom.client import WeComClient
from bot.wecom.parcel import Parcel, Receipt
from bot.wecom.send_aibot import send_to_bot
from bot.wecom.send_app import change_card, send_to_staff
from bot.wecom.send_customers import send_group_task, send_welcome
from bot.wecom.send_kf import hand_over_kf, send_kf_welcome, send_to_kf

# Not one of the platform's codes: those are positive, or -1.
_REFUSED_BY_US = -3


class Courier:
    """Delivers parcels. `bot_way` is tried before a message's response_url."""

    def __init__(
        self, client: WeComClient, http: httpx.AsyncClient, agent_id: int, bot_way: BotWay | None = None
    ) -> None:
        self._client = client
        self._http = http
        self._agent_id = agent_id
        self._bot_way = bot_way

    async def deliver(self, parcel: Parcel, now: datetime) -> Receipt:
        """Hand the parcel to the platform.

        Raises:
            PlatformError: refused or not answered; `PlatformUnavailable.maybe_done` when it may have arrived.
        """
        try:
            return await self._deliver(parcel, now)
        except RequestInvalid as error:  # what `limits.fit` let pass; sending it again would not help
            raise PlatformError(error.api, _REFUSED_BY_US, f"{error.field} {error.problem}") from None

    async def _deliver(self, parcel: Parcel, now: datetime) -> Receipt:
        match parcel.address:
            case StaffChat(staff_id):
                return await send_to_staff(self._client, self._agent_id, staff_id, parcel, now)
            case CardUpdate():
                return await change_card(self._client, self._agent_id, parcel.address, parcel)
            case KfChat(open_kfid, customer_id):
                return await send_to_kf(self._client, open_kfid, customer_id, parcel)
            case KfWelcome(code):
                return await send_kf_welcome(self._client, code, parcel)
            case KfHandOver():
                return await hand_over_kf(self._client, parcel.address, parcel)
            case Welcome(code):
                return await send_welcome(self._client, code, parcel)
            case BotChat():
                return await send_to_bot(self._http, self._bot_way, parcel.address, parcel, now)
            case GroupSend():
                return await send_group_task(self._client, parcel.address, parcel, now)
            case _:
                assert_never(parcel.address)
