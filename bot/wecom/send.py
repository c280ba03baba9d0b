"""How each kind of reply is said to the platform. Called by the outbox sender and by nobody else."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

import httpx

from bot.context import (
    Address,
    BotChat,
    Card,
    Content,
    GroupSend,
    KfChat,
    KfWelcome,
    Markdown,
    StaffChat,
    Text,
    Welcome,
)
from bot.errors import PlatformUnavailable, RecipientUnavailable
from bot.wecom.client import WeComClient
from bot.wecom.groupsend import create_group_task, find_created
from bot.wecom.http import read_json

# The longest the platform compares with earlier messages (04-sending.md, 4.1).
_LONGEST_WINDOW_SECONDS = 14_400


@dataclass(frozen=True, slots=True)
class Parcel:
    """One reply to be delivered.

    `key` is the same for every attempt and unlike any other parcel's (at most 32 of `[0-9A-Za-z_-]`). `in_doubt`: an
    earlier attempt, the first of which began at `attempted_at`, may have arrived, so that the platform is asked to
    leave out a repeat, or asked first; then `known_msgids` are what it has given to other parcels of this recipient.
    """

    address: Address
    content: Content
    key: str
    in_doubt: bool
    attempted_at: datetime
    known_msgids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's answer."""

    msgid: str | None
    result: dict[str, Any]


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
                return await self._to_staff(staff_id, parcel, now)
            case KfChat(open_kfid, customer_id):
                return await self._to_kf(open_kfid, customer_id, parcel)
            case KfWelcome(code):
                return await self._kf_welcome(code, parcel)
            case Welcome(code):
                return await self._welcome(code, parcel)
            case BotChat(_, _, response_url):
                return await self._to_bot_chat(response_url, parcel)
            case GroupSend():
                return await self._group_send(parcel.address, parcel, now)
            case _:
                assert_never(parcel.address)

    async def _to_staff(self, staff_id: str, parcel: Parcel, now: datetime) -> Receipt:
        body = {"touser": staff_id, "agentid": self._agent_id, **staff_content(parcel.content)}
        if parcel.in_doubt:
            body |= {"enable_duplicate_check": 1, "duplicate_check_interval": _window_seconds(parcel.attempted_at, now)}
        api = "POST /cgi-bin/message/send"
        answer = await self._client.call(api, body)
        # errcode 0 with a name in invaliduser is a refusal of that person (04-sending.md); names come lower-cased
        for field in ("invaliduser", "unlicenseduser"):
            if staff_id.lower() in str(answer.get(field, "")).lower().split("|"):
                raise RecipientUnavailable(api, 81013, field)
        return Receipt(msgid=str(answer.get("msgid", "")) or None, result=answer)

    async def _to_kf(self, open_kfid: str, customer_id: str, parcel: Parcel) -> Receipt:
        body = {
            "touser": customer_id,
            "open_kfid": open_kfid,
            "msgid": parcel.key,
            "msgtype": "text",
            "text": {"content": parcel.content.plain_text()},
        }
        answer = await self._client.call("POST /cgi-bin/kf/send_msg", body, app="kf")
        return Receipt(msgid=str(answer.get("msgid") or parcel.key), result=answer)

    async def _kf_welcome(self, code: str, parcel: Parcel) -> Receipt:
        body = {
            "code": code,
            "msgid": parcel.key,
            "msgtype": "text",
            "text": {"content": parcel.content.plain_text()},
        }
        answer = await self._client.call("POST /cgi-bin/kf/send_msg_on_event", body, app="kf")
        return Receipt(msgid=str(answer.get("msgid") or parcel.key), result=answer)

    async def _welcome(self, code: str, parcel: Parcel) -> Receipt:
        body = {"welcome_code": code, "text": {"content": parcel.content.plain_text()}}
        answer = await self._client.call("POST /cgi-bin/externalcontact/send_welcome_msg", body)
        return Receipt(msgid=None, result=answer)

    async def _to_bot_chat(self, response_url: str, parcel: Parcel) -> Receipt:
        api = "POST aibot response_url"
        body = {"msgtype": "markdown", "markdown": {"content": parcel.content.plain_text()}}
        try:
            response = await self._http.post(response_url, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise PlatformUnavailable(api, errmsg=type(error).__name__) from None
        except httpx.HTTPError as error:
            raise PlatformUnavailable(api, errmsg=type(error).__name__, maybe_done=True) from None
        answer = read_json(api, response)
        errcode = int(answer.get("errcode") or 0)
        # The address works once: refused after an attempt of unknown outcome means that one had arrived.
        if errcode and not parcel.in_doubt:
            raise RecipientUnavailable(api, errcode, str(answer.get("errmsg", "")))
        return Receipt(msgid=None, result=answer)

    async def _group_send(self, address: GroupSend, parcel: Parcel, now: datetime) -> Receipt:
        text = parcel.content.plain_text()
        if parcel.in_doubt:
            msgid = await find_created(
                self._client,
                address.sender,
                text,
                attempted_at=parcel.attempted_at,
                now=now,
                known=parcel.known_msgids,
            )
            if msgid is not None:
                return Receipt(msgid=msgid, result={"msgid": msgid, "fail_list": [], "reconciled": True})
        task = await create_group_task(self._client, address.sender, address.chat_ids, text)
        return Receipt(msgid=task.msgid, result={"msgid": task.msgid, "fail_list": list(task.failed_ids)})


def _window_seconds(attempted_at: datetime, now: datetime) -> int:
    """Return how far back a repeat counts: to the attempt in doubt and no further.

    A longer window would also catch the same words said on purpose before it, and the person would miss an answer.
    """
    since = math.ceil((now - attempted_at).total_seconds())
    return min(max(since, 1), _LONGEST_WINDOW_SECONDS)


def staff_content(content: Content) -> dict[str, Any]:
    """Return the `msgtype` and body of message/send for a content (04-sending.md, 4.1 and 4.3)."""
    match content:
        case Text(body):
            return {"msgtype": "text", "text": {"content": body}}
        case Markdown(body):
            return {"msgtype": "markdown", "markdown": {"content": body}}
        case Card():
            return {"msgtype": "template_card", "template_card": template_card(content)}
        case _:
            assert_never(content)


def template_card(card: Card) -> Mapping[str, Any]:
    """Return a card as the platform wants it: an interaction when it has buttons, else a notice."""
    body: dict[str, Any] = {
        "main_title": {"title": card.title},
        "horizontal_content_list": [{"keyname": name, "value": value} for name, value in card.facts],
    }
    if card.description:
        body["sub_title_text"] = card.description
    if card.task_id:
        body["task_id"] = card.task_id
    if card.url:
        body["card_action"] = {"type": 1, "url": card.url}
        if card.url_text:
            body["jump_list"] = [{"type": 1, "title": card.url_text, "url": card.url}]
    if card.buttons:
        buttons = [{"text": button.text, "key": button.key, "style": button.style} for button in card.buttons]
        return {"card_type": "button_interaction", "button_list": buttons, **body}
    return {"card_type": "text_notice", **body}
