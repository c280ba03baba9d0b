"""Which way a reply takes to the platform. Called by the outbox sender and by nobody else."""

from datetime import datetime
from typing import assert_never

import httpx

from bot.context import BotChat, GroupSend, KfChat, KfWelcome, StaffChat, Welcome
from bot.wecom.client import WeComClient
from bot.wecom.parcel import Parcel, Receipt
from bot.wecom.send_aibot import answer_by_url
from bot.wecom.send_app import send_to_staff
from bot.wecom.send_customers import send_group_task, send_welcome
from bot.wecom.send_kf import send_kf_welcome, send_to_kf


class Courier:
    """Delivers parcels."""

    def __init__(self, client: WeComClient, http: httpx.AsyncClient, agent_id: int) -> None:
        self._client = client
        self._http = http
        self._agent_id = agent_id

    async def deliver(self, parcel: Parcel, now: datetime) -> Receipt:
        """Hand the parcel to the platform.

        Raises:
            PlatformError: refused or not answered; `PlatformUnavailable.maybe_done` when it may have arrived.
        """
        match parcel.address:
            case StaffChat(staff_id):
                return await send_to_staff(self._client, self._agent_id, staff_id, parcel, now)
            case KfChat(open_kfid, customer_id):
                return await send_to_kf(self._client, open_kfid, customer_id, parcel)
            case KfWelcome(code):
                return await send_kf_welcome(self._client, code, parcel)
            case Welcome(code):
                return await send_welcome(self._client, code, parcel)
            case BotChat(_, _, response_url):
                return await answer_by_url(self._http, response_url, parcel)
            case GroupSend():
                return await send_group_task(self._client, parcel.address, parcel, now)
            case _:
                assert_never(parcel.address)
