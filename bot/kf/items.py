"""What a pulled 微信客服 item means for the session's account. Pure; reads leniently, because every item is kept.

Source: 07-kf.md, 7.2 (items and events) and 7.4 (states).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from bot.ids import CustomerId
from bot.kf.models import KfState

ORIGIN_CUSTOMER, ORIGIN_SERVICER = "3", "5"
# 7.2, session_status_change: 1 taken from the pool, 2 transferred, 3 ended, 4 re-entered (a person serves again)
_AFTER_CHANGE = {"1": KfState.HUMAN, "2": KfState.HUMAN, "3": KfState.ENDED, "4": KfState.HUMAN}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Which session an item is about, and when it happened by the platform's clock."""

    open_kfid: str
    customer_id: CustomerId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerWrote(About):
    """A message of the customer: the budget begins anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEntered(About):
    """The customer opened the chat."""

    scene: str
    scene_param: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(About):
    """The session went to somebody else."""

    state: KfState
    servicer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFailed(About):
    """A message of ours that the platform had accepted did not arrive."""

    msg_id: str
    fail_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectSwitched(About):
    """The customer refuses our messages, or takes them again."""

    rejects: bool = field(default=True)


KfFact: TypeAlias = CustomerWrote | CustomerEntered | StateChanged | SendFailed | RejectSwitched


def read_fact(item: Mapping[str, Any], open_kfid: str, received_at: datetime) -> KfFact | None:
    """Return what the item changes in the account; `None` for what changes nothing or is about no customer.

    Args:
        item: one entry of `msg_list`.
        open_kfid: the account that was pulled; some items do not name it.
        received_at: stands in for a missing or absurd time.
    """
    event = item.get("event") if item.get("msgtype") == "event" else None
    body: Mapping[str, Any] = event if isinstance(event, Mapping) else item
    customer = body.get("external_userid") or item.get("external_userid")
    if not isinstance(customer, str) or not customer:
        return None
    about: dict[str, Any] = {
        "open_kfid": str(body.get("open_kfid") or item.get("open_kfid") or open_kfid),
        "customer_id": CustomerId(customer),
        "at": _sent_at(item, received_at),
    }
    if isinstance(event, Mapping):
        return _read_event(event, about)
    match str(item.get("origin", "")):
        case origin if origin == ORIGIN_CUSTOMER:
            return CustomerWrote(**about)
        case origin if origin == ORIGIN_SERVICER:
            # whoever writes as a person has the session, even if the change itself was not told
            return StateChanged(state=KfState.HUMAN, servicer=_text(item, "servicer_userid") or None, **about)
        case _:
            return None


def _read_event(event: Mapping[str, Any], about: Mapping[str, Any]) -> KfFact | None:
    match event.get("event_type"):
        case "enter_session":
            return CustomerEntered(scene=_text(event, "scene"), scene_param=_text(event, "scene_param"), **about)
        case "session_status_change":
            state = _AFTER_CHANGE.get(_text(event, "change_type"))
            servicer = _text(event, "new_servicer_userid") or None
            return StateChanged(state=state, servicer=servicer, **about) if state is not None else None
        case "msg_send_fail":
            return SendFailed(msg_id=_text(event, "fail_msgid"), fail_type=_text(event, "fail_type"), **about)
        case "reject_customer_msg_switch_change":
            return RejectSwitched(rejects=_text(event, "reject_switch").lower() in ("1", "true"), **about)
        case _:
            return None


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value)


def _sent_at(item: Mapping[str, Any], received_at: datetime) -> datetime:
    """Return the platform's time, never later than ours: a time to come would stretch the window."""
    try:
        sent_at = datetime.fromtimestamp(int(item["send_time"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return received_at
    return min(sent_at, received_at)
