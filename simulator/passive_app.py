"""Passive replies to callbacks of the app (01, 1.8): the XML body becomes what message/send would have been given."""

import re
from collections.abc import Mapping
from typing import Any

from simulator.api.bodies import APP_BODIES, MEDIA_TYPES, read_body
from simulator.api.cards import check_template_card
from simulator.api.messages import apply_card_change
from simulator.api.params import need_object, need_text
from simulator.callbacks import Delivery
from simulator.chats import say_as_bot
from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.state import AppMessage, ChatKind, Json

WORD = re.compile(r"(?<!^)(?=[A-Z])")
# names that are not simply written with underscores in message/send
OTHER_NAMES = {
    "KeyName": "keyname",
    "AppId": "appid",
    "PagePath": "pagepath",
    "UserId": "userid",
    "CheckBox": "checkbox",
}
LISTS = frozenset(
    {
        "action_list",
        "button_list",
        "horizontal_content_list",
        "jump_list",
        "option_list",
        "select_list",
        "vertical_content_list",
    }
)
NUMBERS = frozenset({"type", "style", "mode", "desc_color"})
CLICK_EVENTS = frozenset({"template_card_event", "template_card_menu_event"})


def take_app_reply(platform: Platform, delivery: Delivery, fields: Mapping[str, Any]) -> None:
    """Show a member what the app answered at once; it does not count against the limits of message/send.

    Raises:
        ApiError: a reply to somebody else, or one that message/send or update_template_card would refuse.
    """
    userid = delivery.subject["userid"]
    if fields.get("ToUserName") != userid or fields.get("FromUserName") != platform.config.corp_id:
        raise ApiError(40058, "invalid parameter: ToUserName is the member, FromUserName the corp")
    kind = need_text(fields, "MsgType")
    if kind == "update_button":
        button = need_object(fields, "Button")
        change = {"replace_name": need_text(button, "ReplaceName", 42020)}
        apply_card_change(platform, userid, _clicked(platform, delivery), change)
    elif kind == "update_template_card":
        card = read_xml_card(need_object(fields, "TemplateCard"))
        check_template_card(card, replacing=True)
        apply_card_change(platform, userid, _clicked(platform, delivery), {"template_card": card})
    elif kind in {"text", "news", *MEDIA_TYPES}:
        line = read_body(platform, {"msgtype": kind, kind: _read_content(kind, fields)}, APP_BODIES)
        say_as_bot(platform, ChatKind.APP, userid, line)
    else:
        raise ApiError(40008)


def _clicked(platform: Platform, delivery: Delivery) -> AppMessage:
    """Return the message whose card was clicked; only the answer to a click changes a card."""
    message = platform.world.app_messages.find(delivery.subject.get("msgid", ""))
    if message is None:
        raise ApiError(40058, "only the callback of a click can be answered with a card")
    return message


def _read_content(kind: str, fields: Mapping[str, Any]) -> Json:
    if kind == "text":
        return {"content": need_text(fields, "Content", 44004)}
    if kind == "news":
        articles = _listed(need_object(fields, "Articles").get("item"))
        return {"articles": [{name.lower(): value for name, value in article.items()} for article in articles]}
    media = need_object(fields, kind.capitalize())
    shown = {"media_id": need_text(media, "MediaId")}
    # video only; elsewhere both are ignored
    return {**shown, "title": media.get("Title", ""), "description": media.get("Description", "")}


def read_xml_card(element: Mapping[str, Any]) -> Json:
    """Return a card of a passive reply with the names, lists and numbers of message/send."""
    card: Json = {}
    for name, value in element.items():
        bare = OTHER_NAMES.get(name) or WORD.sub("_", name).lower()
        rows = [read_xml_card(row) if isinstance(row, Mapping) else row for row in _listed(value)]
        if bare in LISTS:
            card[bare] = rows
        elif bare in NUMBERS and isinstance(value, str) and value.isdecimal():
            card[bare] = int(value)
        else:
            card[bare] = rows[0]
    return card


def _listed(value: Any) -> list[Any]:
    """Return the elements of a name: none, one, or several that were repeated."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
