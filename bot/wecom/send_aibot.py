"""How the AI bot answers (08-aibot.md): by stream or long connection where they are open, else by response_url."""

from datetime import datetime

import httpx

from bot.context import BotChat, Card
from bot.errors import PlatformError, PlatformUnavailable, RecipientUnavailable
from bot.wecom.bot_message import MOST_BYTES, BotMessage, BotWay
from bot.wecom.http import read_json
from bot.wecom.parcel import Parcel, Receipt
from bot.wecom.send_app import template_card

_TOO_LONG = 45002


async def send_to_bot(
    http: httpx.AsyncClient, way: BotWay | None, chat: BotChat, parcel: Parcel, now: datetime
) -> Receipt:
    """Say it in a chat with the AI bot.

    Raises:
        PlatformError: too long, refused or not answered.
    """
    message = bot_message(parcel)
    receipt = await way.hand_over(chat, message, now) if way is not None else None
    return receipt or await answer_by_url(http, chat.response_url, message)


def bot_message(parcel: Parcel) -> BotMessage:
    """Return the parcel in the platform's form: a card with buttons or an address as a card, all else as Markdown.

    Raises:
        PlatformError: longer than the platform takes.
    """
    content = parcel.content
    card = None
    text = content.plain_text()
    if isinstance(content, Card) and ((content.buttons and content.task_id) or content.url):
        card, text = template_card(content), content.title
    if len(text.encode()) > MOST_BYTES:
        raise PlatformError("aibot", _TOO_LONG, f"the answer is longer than {MOST_BYTES} bytes")
    return BotMessage(text, card, parcel.key, parcel.in_doubt)


async def answer_by_url(http: httpx.AsyncClient, response_url: str, message: BotMessage) -> Receipt:
    """Answer through the message's own address, which works once and lives an hour.

    Raises:
        PlatformError: refused or not answered.
    """
    api = "POST aibot response_url"
    if not response_url:
        raise RecipientUnavailable(api, 846605, "the message gave no response_url, and no other way is open")
    try:
        response = await http.post(response_url, json=message.body(message.key))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise PlatformUnavailable(api, errmsg=type(error).__name__) from None
    except httpx.HTTPError as error:
        raise PlatformUnavailable(api, errmsg=type(error).__name__, maybe_done=True) from None
    answer = read_json(api, response)
    errcode = int(answer.get("errcode") or 0)
    # The address works once: refused after an attempt of unknown outcome means that one had arrived.
    if errcode and not message.in_doubt:
        raise RecipientUnavailable(api, errcode, str(answer.get("errmsg", "")))
    return Receipt(msgid=message.key, result=answer)
