"""What tells one event from every other: the key under which a second copy is known (01-callback.md, 1.7)."""

import hashlib
import json

from bot.events import Fields
from bot.wecom.fields import text_of


def app_dedupe_key(fields: Fields) -> str:
    """Return the key of an app callback.

    A message has a `MsgId`. An event has none: the digest over all its values takes its place, because a retry
    carries the same values while two events of one second differ in at least one of them.
    """
    msg_id = text_of(fields, "MsgId")
    if msg_id:
        return f"app:{msg_id}"
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"app:{hashlib.sha256(canonical.encode('utf-8', 'surrogatepass')).hexdigest()}"


def app_conversation(fields: Fields) -> str:
    """Return what must be handled in order: a member, a group, a customer, an account; else the kind of event."""
    sender = text_of(fields, "FromUserName")
    if sender and sender != "sys":
        return f"app:{sender}"
    for prefix, name in (("customer", "ExternalUserID"), ("group", "ChatId"), ("kf", "OpenKfId")):
        value = text_of(fields, name)
        if value:
            return f"{prefix}:{value}"
    return f"sys:{text_of(fields, 'Event').lower() or text_of(fields, 'InfoType')}"
