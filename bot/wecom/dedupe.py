"""What tells one event from every other, and what must be handled in order (01-callback.md, 1.7).

A key says `source:` and the platform's own id where there is one. Where there is none, a digest over all values of the
body takes its place: a retry carries the same values, while two events of one second differ in at least one of them.
Keys are indexed, so ids of impossible length are digested as well.

A conversation's prefix says how urgent it is (bot/lanes.py): `welcome:` holds a code that lives 20 seconds, `pull:` is
an errand that may take minutes.
"""

import hashlib
import json

from bot import events as e
from bot.events import Event, Fields
from bot.wecom.fields import text_of, tree_of
from bot.wecom.parsing.aibot import aibot_body
from bot.wecom.parsing.kf import kf_ids

# The longest id the platform documents has 64 characters; two of them, and a digest, fit into any index.
_MAX_ID = 128


def app_dedupe_key(fields: Fields) -> str:
    """Return the key of an app callback: a message's `MsgId`, or the digest of an event or of a suite's notice."""
    is_message = "InfoType" not in fields and text_of(fields, "MsgType").lower() != "event"
    msg_id = text_of(fields, "MsgId") if is_message else ""
    return _key("app", msg_id, fields)


def aibot_dedupe_key(event: Event, fields: Fields) -> str:
    """Return the key of an AI bot callback: its `msgid`.

    The question how a stream stands is no message, whatever id it carries: its key cannot shadow one.
    """
    body = aibot_body(fields)
    if isinstance(event, e.BotStreamRefresh):
        return _key("aibot", f"stream:{event.stream_id}:{event.msg_id}", fields)
    return _key("aibot", text_of(body, "msgid"), fields)


def kf_dedupe_key(fields: Fields) -> str:
    """Return the key of a pulled 微信客服 item: its `msgid`."""
    return _key("kf", text_of(fields, "msgid"), fields)


def _key(source: str, own_id: str, fields: Fields) -> str:
    return f"{source}:{own_id if own_id and len(own_id) <= _MAX_ID else _digest(fields)}"


def _digest(value: Fields | str) -> str:
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def conversation_name(*parts: str) -> str:
    """Join what names a conversation; a part of impossible length is digested."""
    return ":".join(part if len(part) <= _MAX_ID else _digest(part) for part in parts)


def app_conversation(fields: Fields, event: Event | None = None) -> str:
    """Return what is handled in order: a welcome, a pull, a member, a group, a customer; else the kind of event."""
    match event:
        case (
            e.CustomerAdded(staff_id=staff, customer_id=customer, welcome_code=code)
            | e.CustomerHalfAdded(staff_id=staff, customer_id=customer, welcome_code=code)
            | e.ArchiveConsentGiven(staff_id=staff, customer_id=customer, welcome_code=code)
        ) if code:
            return conversation_name("welcome", staff, customer)
        case e.KfNotice(open_kfid=account):
            return conversation_name("pull", "kf", account)
        case e.ArchiveNotice():
            return "pull:archive"
        case _:
            return _by_person(fields)


def _by_person(fields: Fields) -> str:
    sender = text_of(fields, "FromUserName")
    if sender and sender != "sys":
        return conversation_name("app", sender)
    for prefix, name in _SUBJECTS:
        if value := text_of(fields, name):
            return conversation_name(prefix, value)
    return conversation_name("sys", text_of(fields, "Event").lower() or text_of(fields, "InfoType").lower())


_SUBJECTS = (("customer", "ExternalUserID"), ("group", "ChatId"), ("kf", "OpenKfId"), ("member", "UserID"))


def aibot_conversation(fields: Fields) -> str:
    """Return the group, or the person alone with the bot; the bot itself for what has neither."""
    body = aibot_body(fields)
    person = text_of(tree_of(body, "from"), "userid")
    return conversation_name("aibot", text_of(body, "chatid") or person or text_of(body, "aibotid"))


def kf_conversation(fields: Fields, open_kfid: str = "") -> str:
    """Return the account and the customer; a welcome by itself. `open_kfid` is for items that do not say theirs."""
    account, customer = kf_ids(fields)
    account = account or open_kfid
    event = tree_of(fields, "event")
    if text_of(fields, "msgtype").lower() == "event" and text_of(event, "welcome_code"):
        return conversation_name("welcome", "kf", account, customer)
    return conversation_name("kf", account, customer)
