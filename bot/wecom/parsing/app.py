"""App callbacks to typed events, by the words the body calls itself (02-events.md).

Three discriminators exist: `MsgType` with `Event` and `ChangeType` on the app callback, `InfoType` on suite callbacks.
Event names are compared without regard to case: old samples differ.
"""

from bot import events as e
from bot.errors import CallbackMalformed
from bot.events import Event, Fields
from bot.wecom.fields import parse_seconds, text_of
from bot.wecom.parsing.tables import CHANGES, EVENTS, FEATURES, MESSAGES, Entry, feature_notice, suite_notice


def parse_event(fields: Fields) -> Event:
    """Return the typed event of an app callback's fields; `UnknownEvent` for a kind we do not know.

    Raises:
        CallbackMalformed: nothing in it says what it is.
    """
    occurred_at = parse_seconds(text_of(fields, "CreateTime") or text_of(fields, "TimeStamp"))
    kind, found = _look_up(fields)
    if not kind:
        raise CallbackMalformed("the body has neither MsgType nor InfoType")
    if found is None:
        return e.UnknownEvent(fields=fields, occurred_at=occurred_at, kind=kind)
    event, builder = found
    return event(fields=fields, occurred_at=occurred_at, **builder(fields))


def _look_up(fields: Fields) -> tuple[str, Entry | None]:
    if info_type := text_of(fields, "InfoType"):
        return f"suite.{info_type}", (e.SuiteNotice, suite_notice)
    msg_type = text_of(fields, "MsgType").lower()
    if msg_type != "event":
        return msg_type, MESSAGES.get(msg_type)
    name = text_of(fields, "Event").lower()
    change = text_of(fields, "ChangeType").lower()
    if change:
        return f"{name}.{change}", CHANGES.get((name, change)) or EVENTS.get(name) or _feature(name)
    return f"event.{name}", EVENTS.get(name) or _feature(name)


def _feature(name: str) -> Entry | None:
    return (e.FeatureNotice, feature_notice) if any(feature in name for feature in FEATURES) else None
