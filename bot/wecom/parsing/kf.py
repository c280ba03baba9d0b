"""Items of a 微信客服 pull to typed events (07-kf.md, 7.2). Only customers' items become messages of theirs."""

from collections.abc import Callable, Mapping
from typing import Any

from bot import events as e
from bot.errors import CallbackMalformed
from bot.events import Event, Fields
from bot.ids import CustomerId, StaffId
from bot.wecom.fields import (
    float_of,
    int_of,
    list_of,
    parse_json,
    parse_seconds,
    text_of,
    tree_of,
    trees_in,
)

Common = Mapping[str, Any]


def parse_kf(fields: Fields) -> Event:
    """Return the event of one pulled item; `UnknownEvent` for a kind or an origin we do not know."""
    kind = text_of(fields, "msgtype").lower()
    if kind == "event":
        return _event(fields)
    common: dict[str, Any] = {
        "fields": fields,
        "occurred_at": parse_seconds(text_of(fields, "send_time")),
        "open_kfid": text_of(fields, "open_kfid"),
        "customer_id": CustomerId(text_of(fields, "external_userid")),
        "msg_id": text_of(fields, "msgid"),
    }
    match text_of(fields, "origin"):
        case "3":
            return _customers(kind, tree_of(fields, kind), common)
        case "5":
            return _servicers(kind, tree_of(fields, kind), common)
    return e.UnknownEvent(fields=fields, occurred_at=common["occurred_at"], kind=f"kf.{kind}")


def _customers(kind: str, body: Fields, common: Common) -> Event:
    if kind == "text":
        return e.KfText(text=text_of(body, "content"), menu_id=text_of(body, "menu_id") or None, **common)
    build = _MESSAGES.get(kind)
    if build is None:
        return e.KfUnknownMessage(kind=f"kf.{kind}", msg_type=kind, **common)
    return build(body, {**common, "msg_type": kind})


def _servicers(kind: str, body: Fields, common: Common) -> Event:
    return e.KfServicerMessage(
        servicer_id=StaffId(text_of(common["fields"], "servicer_userid")),
        msg_type=kind,
        text=text_of(body, "content"),
        media_id=text_of(body, "media_id"),
        **common,
    )


def _media(body: Fields, common: Common) -> Event:
    return e.KfMediaMessage(media_id=text_of(body, "media_id"), **common)


def _location(body: Fields, common: Common) -> Event:
    return e.KfLocationMessage(
        latitude=float_of(body, "latitude"),
        longitude=float_of(body, "longitude"),
        name=text_of(body, "name"),
        address=text_of(body, "address"),
        **common,
    )


def _link(body: Fields, common: Common) -> Event:
    return e.KfLinkMessage(
        title=text_of(body, "title"),
        description=text_of(body, "desc"),
        url=text_of(body, "url"),
        pic_url=text_of(body, "pic_url"),
        **common,
    )


def _business_card(body: Fields, common: Common) -> Event:
    return e.KfBusinessCard(staff_id=StaffId(text_of(body, "userid")), **common)


def _miniprogram(body: Fields, common: Common) -> Event:
    return e.KfMiniprogram(
        title=text_of(body, "title"),
        appid=text_of(body, "appid"),
        pagepath=text_of(body, "pagepath"),
        thumb_media_id=text_of(body, "thumb_media_id"),
        **common,
    )


def _menu(body: Fields, common: Common) -> Event:
    return e.KfMenuMessage(
        head=text_of(body, "head_content"),
        tail=text_of(body, "tail_content"),
        items=tuple(_menu_item(item) for item in trees_in(list_of(body, "list"))),
        **common,
    )


def _menu_item(item: Fields) -> e.KfMenuItem:
    kind = text_of(item, "type")
    data = tree_of(item, kind)
    return e.KfMenuItem(kind, text_of(data, "id"), text_of(data, "content"))


def _channels(body: Fields, common: Common) -> Event:
    return e.KfChannelsMessage(content=body, **common)


def _merged(body: Fields, common: Common) -> Event:
    items = tuple(_merged_item(item) for item in trees_in(list_of(body, "item")))
    return e.KfMergedMessage(title=text_of(body, "title"), items=items, **common)


def _merged_item(item: Fields) -> e.KfMergedItem:
    kind = text_of(item, "msgtype").lower()
    content = _unfold(item)
    # The page shows both forms: the message's body itself, and the body under the message type's name.
    body = tree_of(content, kind) or content
    return e.KfMergedItem(
        sender_name=text_of(item, "sender_name"),
        msg_type=kind,
        sent_at=parse_seconds(text_of(item, "send_time")),
        text=text_of(body, "content"),
        content=content,
    )


def _unfold(item: Fields) -> Fields:
    """Return `msg_content`, which is JSON inside a string; empty when it is not readable."""
    content = item.get("msg_content")
    if isinstance(content, dict):
        return content
    try:
        return parse_json(content.encode()) if isinstance(content, str) else {}
    except CallbackMalformed:
        return {}


def _announced(_: Fields, common: Common) -> Event:
    return e.KfAnnouncedMessage(**common)


_MESSAGES: Mapping[str, Callable[[Fields, Common], Event]] = {
    "image": _media,
    "voice": _media,
    "video": _media,
    "file": _media,
    "location": _location,
    "link": _link,
    "business_card": _business_card,
    "miniprogram": _miniprogram,
    "msgmenu": _menu,
    "channels": _channels,
    "channels_shop_product": _channels,
    "channels_shop_order": _channels,
    "merged_msg": _merged,
    "meeting": _announced,
    "calendar": _announced,
    "note": _announced,
}


# --- events: their ids stand inside `event` ---


def kf_ids(fields: Fields) -> tuple[str, str]:
    """Return the account and the customer of an item; of an event they stand inside `event`. Empty when absent."""
    event = tree_of(fields, "event")
    account, customer = "open_kfid", "external_userid"
    return text_of(event, account) or text_of(fields, account), text_of(event, customer) or text_of(fields, customer)


def _event(fields: Fields) -> Event:
    data = tree_of(fields, "event")
    kind = text_of(data, "event_type").lower()
    open_kfid, customer_id = kf_ids(fields)
    base: dict[str, Any] = {
        "fields": fields,
        "occurred_at": parse_seconds(text_of(fields, "send_time")),
        "open_kfid": open_kfid,
    }
    if kind == "servicer_status_change":
        return _servicer_status(data, base)
    build = _EVENTS.get(kind)
    if build is None:
        return e.UnknownEvent(fields=fields, occurred_at=base["occurred_at"], kind=f"kf.event.{kind}")
    return build(data, {**base, "customer_id": CustomerId(customer_id)})


def _servicer_status(data: Fields, base: Common) -> Event:
    return e.KfServicerStatusChanged(
        servicer_id=StaffId(text_of(data, "servicer_userid")),
        status=int_of(data, "status"),
        stop_type=int_of(data, "stop_type"),
        **base,
    )


def _entered(data: Fields, common: Common) -> Event:
    return e.KfSessionEntered(
        welcome_code=text_of(data, "welcome_code") or None,
        scene=text_of(data, "scene"),
        scene_param=text_of(data, "scene_param"),
        channels=tree_of(data, "wechat_channels"),
        **common,
    )


def _send_failed(data: Fields, common: Common) -> Event:
    return e.KfSendFailed(fail_msg_id=text_of(data, "fail_msgid"), fail_type=text_of(data, "fail_type"), **common)


_SESSION_CHANGES = {
    1: e.KfSessionChange.ACCEPTED,
    2: e.KfSessionChange.TRANSFERRED,
    3: e.KfSessionChange.ENDED,
    4: e.KfSessionChange.REENTERED,
}


def _session(data: Fields, common: Common) -> Event:
    return e.KfSessionChanged(
        change_type=_SESSION_CHANGES.get(int_of(data, "change_type") or 0, e.KfSessionChange.UNKNOWN),
        old_servicer=StaffId(text_of(data, "old_servicer_userid")) or None,
        new_servicer=StaffId(text_of(data, "new_servicer_userid")) or None,
        msg_code=text_of(data, "msg_code") or None,
        **common,
    )


def _recalled(data: Fields, common: Common) -> Event:
    return e.KfRecalled(
        recalled_msg_id=text_of(data, "recall_msgid"),
        by_servicer=text_of(data, "event_type").lower() == "servicer_recall_msg",
        servicer_id=StaffId(text_of(data, "servicer_userid")) or None,
        **common,
    )


def _reject_switch(data: Fields, common: Common) -> Event:
    # [I] the page names the field and not its values: 1 is read as "customers' refusal is on".
    switch = text_of(data, "reject_switch")
    return e.KfRejectSwitched(rejects=switch in ("1", "true"), reject_switch=switch, **common)


_EVENTS: Mapping[str, Callable[[Fields, Common], Event]] = {
    "enter_session": _entered,
    "msg_send_fail": _send_failed,
    "session_status_change": _session,
    "user_recall_msg": _recalled,
    "servicer_recall_msg": _recalled,
    "reject_customer_msg_switch_change": _reject_switch,
}
