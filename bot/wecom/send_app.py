"""How a reply is said to a member, and how a card the member pressed is changed (04-sending.md, 4.1 to 4.3)."""

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from bot.context import Card, CardUpdate, Content, Markdown, Menu, Text
from bot.errors import PlatformError, RecipientUnavailable
from bot.ids import StaffId
from bot.wecom.api.cards import ButtonCard, CardButton, Fact, Jump, Target, TextNotice, Title
from bot.wecom.api.messages import (
    SEND,
    AppMessage,
    CardChange,
    MarkdownBody,
    MessageBody,
    ReplacedButton,
    SentMessage,
    TextBody,
    send_message,
    update_card,
)
from bot.wecom.api.wire import to_body
from bot.wecom.client import WeComClient
from bot.wecom.parcel import Parcel, Receipt

# The longest the platform compares with earlier messages (04-sending.md, 4.1).
_LONGEST_WINDOW_SECONDS = 14_400
_CODE_USED = 60140


async def send_to_staff(
    client: WeComClient, agent_id: int, staff_id: StaffId, parcel: Parcel, now: datetime
) -> Receipt:
    """Send to one member.

    Raises:
        RequestInvalid: too long for one message.
        PlatformError: refused or not answered; `RecipientUnavailable` when only this member cannot get it.
    """
    message = AppMessage(agent_id=agent_id, staff_ids=(staff_id,), body=staff_body(parcel.content))
    if parcel.in_doubt:
        sent = await _send_doubtful(client, message, parcel, now)
    else:
        sent = await send_message(client, message)
    # errcode 0 with a name in invaliduser is a refusal of that person (04-sending.md); names come lower-cased
    for field, names in (("invaliduser", sent.invalid_staff), ("unlicenseduser", sent.unlicensed_staff)):
        if staff_id.lower() in (name.lower() for name in names):
            raise RecipientUnavailable(SEND, 81013, field)
    return Receipt(msgid=sent.msgid or None, result=_kept(sent))


async def change_card(client: WeComClient, agent_id: int, address: CardUpdate, parcel: Parcel) -> Receipt:
    """Close the buttons of a pressed card, or put another card in its place.

    Raises:
        RequestInvalid: the new card breaks a limit.
        PlatformError: refused or not answered; 60140 the code was used, or is too old.
    """
    card = parcel.content if isinstance(parcel.content, Card) else None
    change = CardChange(
        agent_id=agent_id,
        response_code=address.response_code,
        staff_ids=(address.staff_id,),
        button=ReplacedButton(parcel.content.plain_text()) if card is None else None,
        card=_card_body(card) if card is not None else None,
    )
    try:
        failed = await update_card(client, change)
    except PlatformError as error:
        # The code works once: used, after an attempt of unknown outcome, means that the attempt had arrived.
        if not parcel.in_doubt or error.errcode != _CODE_USED:
            raise
        return Receipt(msgid=None, result={"errcode": error.errcode, "reconciled": True})
    return Receipt(msgid=None, result={"invaliduser": list(failed)})


async def _send_doubtful(client: WeComClient, message: AppMessage, parcel: Parcel, now: datetime) -> SentMessage:
    """Send after an attempt that may have arrived: the platform is asked to leave out a repeat.

    Left out, it names the message it took for the same [I]. One that was sent before the attempt in doubt only says the
    same words: had the attempt arrived, it would be the newer one. So it has not, and the message goes out.
    """
    checked = replace(message, drop_repeats=True)
    sent = await send_message(_Doubtful(client, parcel.attempted_at, now), checked)
    if sent.msgid and sent.msgid in parcel.known_msgids:
        return await send_message(client, message)
    return sent


class _Doubtful:
    """Calls whose duplicate check reaches back to the attempt in doubt and no further, at the moment they leave.

    Measured before, it would fall short by what is waited for until then (a token, a permit), and the earlier message
    would be outside. A longer one would catch the same words said on purpose before it: an answer would be missing.
    """

    def __init__(self, client: WeComClient, attempted_at: datetime, now: datetime) -> None:
        self._client = client
        self._age = (now - attempted_at).total_seconds()
        self._began = time.monotonic()

    async def call(
        self,
        api: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        app: str = "app",
    ) -> dict[str, Any]:
        """Call as the client does."""
        return await self._client.call(api, body, params=params, app=app, late=self._window)

    def _window(self) -> Mapping[str, int]:
        seconds = math.ceil(self._age + time.monotonic() - self._began)
        return {"duplicate_check_interval": min(max(seconds, 1), _LONGEST_WINDOW_SECONDS)}


def staff_body(content: Content) -> MessageBody:
    """Return the form a content takes: a card without buttons and without a page to open is said as words."""
    match content:
        case Text(body):
            return TextBody(body)
        case Menu():
            return TextBody(content.plain_text())
        case Markdown(body):
            return MarkdownBody(body)
        case Card():
            return _card_body(content) if content.buttons or content.url else TextBody(content.plain_text())
        case _:
            assert_never(content)


def template_card(card: Card) -> Mapping[str, Any]:
    """Return a card as the platform wants it, for another message than message/send.

    Raises:
        RequestInvalid: it breaks a limit, or has neither buttons nor a page to open.
    """
    return to_body(SEND, _card_body(card))


def _card_body(card: Card) -> ButtonCard | TextNotice:
    """Return an interaction when there are buttons, else a notice."""
    title, text = Title(card.title), card.description or None
    facts = tuple(Fact(name, value) for name, value in card.facts)
    target = Target(url=card.url) if card.url else None
    jumps = (Jump(title=card.url_text, url=card.url),) if card.url and card.url_text else ()
    if card.buttons:
        buttons = tuple(CardButton(button.text, button.key, style=button.style) for button in card.buttons)
        return ButtonCard(
            title=title, text=text, facts=facts, target=target, jumps=jumps, task_id=card.task_id, buttons=buttons
        )
    return TextNotice(title=title, text=text, facts=facts, target=target, jumps=jumps, task_id=card.task_id)


def _kept(sent: SentMessage) -> dict[str, Any]:
    """Return what is kept of the answer in the outbox row."""
    kept = {"msgid": sent.msgid, "response_code": sent.response_code}
    return {name: value for name, value in kept.items() if value}
