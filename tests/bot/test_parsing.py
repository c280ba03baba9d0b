"""Every kind of body the dossier names becomes its typed event; unknown ones are kept, broken ones refused."""

import pytest

from bot import events as e
from bot.errors import CallbackMalformed
from bot.wecom.dedupe import app_conversation, app_dedupe_key
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


def test_an_acquisition_notice_is_one_kind_whatever_changed() -> None:
    assert isinstance(
        _event(MsgType="event", Event="customer_acquisition", ChangeType="balance_low"), e.AcquisitionNotice
    )


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


def test_a_message_is_known_by_its_number() -> None:
    assert app_dedupe_key(parse_fields(_xml(MsgType="text", MsgId="9"))) == "app:9"


def test_two_events_of_one_second_stay_two_and_a_copy_stays_one() -> None:
    added = {"MsgType": "event", "Event": "change_external_contact", "ChangeType": "add_external_contact"}
    first = app_dedupe_key(parse_fields(_xml(**added, UserID="a", ExternalUserID="wm1")))
    second = app_dedupe_key(parse_fields(_xml(**added, UserID="a", ExternalUserID="wm2")))
    copy = app_dedupe_key(parse_fields(_xml(**added, ExternalUserID="wm1", UserID=" a ")))
    assert first != second
    assert first == copy


@pytest.mark.parametrize(
    ("values", "conversation"),
    [
        ({}, "app:rm001"),
        ({"FromUserName": "sys", "ExternalUserID": "wm1"}, "customer:wm1"),
        ({"FromUserName": "sys", "ChatId": "wr1"}, "group:wr1"),
        ({"FromUserName": "sys", "Event": "MSGAUDIT_NOTIFY"}, "sys:msgaudit_notify"),
    ],
)
def test_what_belongs_together_is_handled_in_order(values: dict[str, str], conversation: str) -> None:
    assert app_conversation(parse_fields(_xml(**values))) == conversation
