"""Every kind of body the dossier names becomes its typed event; unknown ones are kept, broken ones refused."""

import pytest

from bot import events as e
from bot.errors import CallbackMalformed
from bot.wecom.fields import parse_fields
from bot.wecom.parsing import CHANGES, EVENTS, MESSAGES, parse_event


def _xml(**values: str) -> bytes:
    values = {"ToUserName": "ww1", "FromUserName": "rm001", "CreateTime": "1767225600", **values}
    return ("<xml>" + "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in values.items()) + "</xml>").encode()


def _event(**values: str) -> e.Event:
    return parse_event(parse_fields(_xml(**values)))


@pytest.mark.parametrize("msg_type", sorted(MESSAGES))
def test_messages_know_their_sender_and_number(msg_type: str) -> None:
    event = _event(MsgType=msg_type, MsgId="77", Content="你好", MediaId="m", Title="t", Url="u")
    assert type(event) is MESSAGES[msg_type][0]
    assert isinstance(event, e.StaffMessage)
    assert (event.staff_id, event.msg_id) == ("rm001", "77")


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_events_are_known_whatever_their_case(name: str) -> None:
    assert type(_event(MsgType="event", Event=name.upper())) is EVENTS[name][0]


@pytest.mark.parametrize(("name", "change"), sorted(CHANGES))
def test_changes_are_known_by_their_change_type(name: str, change: str) -> None:
    assert type(_event(MsgType="event", Event=name, ChangeType=change)) is CHANGES[name, change][0]


def test_a_new_customer_brings_state_and_welcome_code() -> None:
    event = _event(
        MsgType="event",
        Event="change_external_contact",
        ChangeType="add_external_contact",
        FromUserName="sys",
        UserID="rm001",
        ExternalUserID="wm1",
        State="branch-07",
        WelcomeCode="CODE",
    )
    assert isinstance(event, e.CustomerAdded)
    assert (event.staff_id, event.customer_id, event.state, event.welcome_code) == ("rm001", "wm1", "branch-07", "CODE")


@pytest.mark.parametrize("change", e.AcquisitionChange)
def test_an_acquisition_notice_says_what_changed(change: e.AcquisitionChange) -> None:
    event = _event(MsgType="event", Event="customer_acquisition", ChangeType=change.value.upper())
    assert isinstance(event, e.AcquisitionNotice)
    assert event.change is change


@pytest.mark.parametrize(
    "values",
    [
        {"Event": "change_contact", "ChangeType": "create_user", "Department": "x,,2,9999999999999999999"},
        {"Event": "change_external_chat", "ChangeType": "update", "JoinScene": "many"},
        {"Event": "inactive_alert", "EffectTime": "soon"},
        {"Event": "location", "Latitude": "north", "Longitude": "1e999"},
        {"Event": "batch_job_result", "BatchJob": "flat"},
    ],
)
def test_a_value_of_another_kind_is_absent_and_never_an_error(values: dict[str, str]) -> None:
    event = _event(MsgType="event", **values)
    assert not isinstance(event, e.UnknownEvent)
    if isinstance(event, e.MemberChanged):
        assert event.departments == (2,)


def test_a_customer_who_was_handed_over_is_told_apart_from_one_who_was_deleted() -> None:
    deleted = {"MsgType": "event", "Event": "change_external_contact", "ChangeType": "del_external_contact"}
    events = [_event(**deleted), _event(**deleted, Source="DELETE_BY_TRANSFER")]
    assert [isinstance(event, e.CustomerRemoved) and event.by_transfer for event in events] == [False, True]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"MsgType": "hologram"}, "hologram"),
        ({"MsgType": "event", "Event": "moon_landing"}, "event.moon_landing"),
        ({"MsgType": "event", "Event": "change_contact", "ChangeType": "x"}, "change_contact.x"),
    ],
)
def test_unknown_kinds_keep_all_their_values(values: dict[str, str], kind: str) -> None:
    event = _event(**values, Extra="kept")
    assert isinstance(event, e.UnknownEvent)
    assert event.kind == kind
    assert event.fields["Extra"] == "kept"


def test_a_suite_notice_is_recognised() -> None:
    assert isinstance(parse_event(parse_fields(b"<xml><InfoType>suite_ticket</InfoType></xml>")), e.SuiteNotice)


def test_a_body_that_says_not_what_it_is_is_malformed() -> None:
    with pytest.raises(CallbackMalformed):
        parse_event(parse_fields(b"<xml><A>1</A></xml>"))


@pytest.mark.parametrize("time", ["", "-5", "1e9", "99999999999999", "٣"])
def test_an_impossible_time_is_no_time(time: str) -> None:
    assert _event(MsgType="text", CreateTime=time).occurred_at is None
