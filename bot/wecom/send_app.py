"""How a reply is said to a member: message/send, and its forms (04-sending.md, 4.1 and 4.3)."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

from bot.context import Card, Content, Markdown, Text
from bot.errors import RecipientUnavailable
from bot.wecom.client import WeComClient
from bot.wecom.parcel import Parcel, Receipt

# The longest the platform compares with earlier messages (04-sending.md, 4.1).
_LONGEST_WINDOW_SECONDS = 14_400


async def send_to_staff(client: WeComClient, agent_id: int, staff_id: str, parcel: Parcel, now: datetime) -> Receipt:
    """Send to one member.

    Raises:
        PlatformError: refused or not answered; `RecipientUnavailable` when only this member cannot get it.
    """
    body = {"touser": staff_id, "agentid": agent_id, **staff_content(parcel.content)}
    if parcel.in_doubt:
        body |= {"enable_duplicate_check": 1, "duplicate_check_interval": _window_seconds(parcel.attempted_at, now)}
    api = "POST /cgi-bin/message/send"
    answer = await client.call(api, body)
    # errcode 0 with a name in invaliduser is a refusal of that person (04-sending.md); names come lower-cased
    for field in ("invaliduser", "unlicenseduser"):
        if staff_id.lower() in str(answer.get(field, "")).lower().split("|"):
            raise RecipientUnavailable(api, 81013, field)
    return Receipt(msgid=str(answer.get("msgid", "")) or None, result=answer)


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
