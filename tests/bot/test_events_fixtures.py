"""Every message and event the dossier names becomes its typed event, with the attributes it documents."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot import events as e
from bot.doors.readers import AiBotReader, AppReader, kf_row, read_event
from bot.events import Event
from bot.inbox.models import InboxRow, NewInboxRow
from bot.wecom.archived import parse_archived, plain_text
from bot.wecom.fields import parse_fields, parse_json
from bot.wecom.parsing import CHANGES, EVENTS, MESSAGES, parse_aibot, parse_event, parse_kf
from tests.bot.fixtures import Fixture, attributes_of, load_fixtures, not_empty

NOW = datetime(2026, 1, 1, tzinfo=UTC)
APP, KF, AIBOT, ARCHIVE = (load_fixtures(family) for family in ("app", "kf", "aibot", "archive"))
PARSERS: Mapping[str, Callable[[bytes], Event]] = {
    "app": lambda body: parse_event(parse_fields(body)),
    "kf": lambda body: parse_kf(parse_json(body)),
    "aibot": lambda body: parse_aibot(parse_json(body)),
}
ROWS: Mapping[str, Callable[[bytes], NewInboxRow]] = {
    "app": lambda body: AppReader().row(body, NOW),
    "kf": lambda body: kf_row(json.loads(body), "wkEXAMPLE", NOW),
    "aibot": lambda body: AiBotReader().row(body, NOW),
}


@pytest.mark.parametrize("fixture", [*APP, *KF, *AIBOT], ids=str)
def test_a_body_becomes_its_event_with_all_attributes(fixture: Fixture) -> None:
    event = PARSERS[fixture.family](fixture.body)
    assert type(event).__name__ == fixture.event
    assert not_empty(attributes_of(event, without=["fields"])) == not_empty(fixture.attributes)


@pytest.mark.parametrize("fixture", [*APP, *KF, *AIBOT], ids=str)
def test_no_value_of_a_body_is_lost(fixture: Fixture) -> None:
    parse = parse_fields if fixture.family == "app" else parse_json
    assert PARSERS[fixture.family](fixture.body).fields == parse(fixture.body)


@pytest.mark.parametrize("fixture", [*APP, *KF, *AIBOT], ids=str)
def test_the_stored_row_reads_as_the_same_event(fixture: Fixture) -> None:
    new = ROWS[fixture.family](fixture.body)
    row = InboxRow(
        source=new.source,
        dedupe_key=new.dedupe_key,
        conversation=new.conversation,
        event_type=new.event_type,
        body=new.body,
        received_at=NOW,
    )
    assert new.event_type == fixture.event
    assert read_event(row) == PARSERS[fixture.family](fixture.body)


@pytest.mark.parametrize("fixture", ARCHIVE, ids=str)
def test_an_archived_record_becomes_typed_with_its_words(fixture: Fixture) -> None:
    record = parse_archived(fixture.body)
    expected = fixture.attributes
    assert type(record.body).__name__ == fixture.event
    assert not_empty(attributes_of(record, without=["body", "raw"])) == not_empty(expected["record"])
    assert not_empty(attributes_of(record.body)) == not_empty(expected["body"])
    assert plain_text(record) == expected["plain_text"]
    assert record.raw == json.loads(fixture.body)


# --- every kind of the dossier's tables has a fixture ---

APP_MESSAGES = {"text", "image", "voice", "video", "location", "link"}
APP_EVENTS = {
    *("subscribe", "unsubscribe", "enter_agent", "location", "click", "view", "view_miniprogram"),
    *("scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select"),
    *("batch_job_result", "template_card_event", "template_card_menu_event", "taskcard_click"),
    *("open_approval_change", "sys_approval_change", "share_agent_change", "share_chain_change"),
    *("switch_workbench_mode", "inactive_alert", "low_active_alert", "close_inactive_agent", "low_active"),
    *("reopen_inactive_agent", "active_restored", "upload_media_job_finish", "msgaudit_notify"),
    *("kf_msg_or_event", "kf_account_auth_change", "unlicensed_notify"),
}
APP_CHANGES = {
    "change_contact": {
        *("create_user", "update_user", "delete_user", "create_party", "update_party", "delete_party", "update_tag"),
    },
    "change_external_contact": {
        *("add_external_contact", "edit_external_contact", "add_half_external_contact", "del_external_contact"),
        *("del_follow_user", "transfer_fail", "msg_audit_approved"),
    },
    "change_external_chat": {"create", "update", "dismiss"},
    "change_external_tag": {"create", "update", "delete", "shuffle"},
    "customer_acquisition": {
        *("balance_low", "balance_exhausted", "balance_increased", "quota_expire_soon", "link_unavailable"),
        *("delete_link", "open_profile", "friend_request", "customer_start_chat", "message_from_customer"),
    },
}
SUITES = {
    *("suite_ticket", "create_auth", "change_auth", "cancel_auth", "change_contact", "change_external_contact"),
    *("change_external_chat", "change_external_tag", "share_agent_change"),
}
KF_MESSAGES = {
    *("text", "image", "voice", "video", "file", "location", "link", "business_card", "miniprogram", "msgmenu"),
    *("channels", "channels_shop_product", "channels_shop_order", "merged_msg", "meeting", "calendar", "note"),
}
KF_EVENTS = {
    *("enter_session", "msg_send_fail", "servicer_status_change", "session_status_change", "user_recall_msg"),
    *("servicer_recall_msg", "reject_customer_msg_switch_change"),
}
BOT_MESSAGES = {"text", "mixed", "image", "voice", "file", "video", "stream"}
BOT_EVENTS = {"enter_chat", "template_card_event", "feedback_event", "disconnected_event"}
ARCHIVED = {
    *("text", "image", "revoke", "agree", "disagree", "voice", "video", "card", "location", "emotion", "file", "link"),
    *("weapp", "chatrecord", "todo", "vote", "collect", "redpacket", "external_redpacket", "meeting", "docmsg"),
    *("markdown", "news", "calendar", "mixed", "meeting_voice_call", "voip_doc_share", "sphfeed", "voiptext"),
    *("qydiskfile", "meeting_notification", "note", "solitaire"),
}


def _app_kinds() -> Iterator[tuple[str, str]]:
    for fixture in APP:
        fields: Any = parse_fields(fixture.body)
        kind = fields.get("InfoType") or fields["MsgType"].lower()
        name = fields.get("Event", "").lower() if kind == "event" else kind
        yield ("suite" if "InfoType" in fields else name, fields.get("ChangeType", kind) if "Event" in fields else kind)


def test_every_app_message_and_event_has_a_fixture() -> None:
    found = set(_app_kinds())
    assert {(kind, kind) for kind in APP_MESSAGES} <= found
    assert {(name, "event") for name in APP_EVENTS} <= found
    assert {(name, change) for name, changes in APP_CHANGES.items() for change in changes} <= found
    assert {("suite", info) for info in SUITES} <= found


def test_the_tables_of_kinds_are_the_dossiers() -> None:
    assert set(MESSAGES) == APP_MESSAGES
    assert set(EVENTS) == APP_EVENTS
    assert set(CHANGES) == {(name, change) for name, changes in APP_CHANGES.items() for change in changes}


def test_every_kf_message_and_event_has_a_fixture() -> None:
    items = [json.loads(fixture.body) for fixture in KF]
    assert {item["msgtype"] for item in items} >= KF_MESSAGES
    assert {item["event"]["event_type"] for item in items if "event" in item} >= KF_EVENTS
    assert {item["origin"] for item in items} >= {3, 4, 5}


def test_every_ai_bot_message_and_event_has_a_fixture() -> None:
    bodies = [json.loads(fixture.body) for fixture in AIBOT]
    bodies = [body.get("body", body) for body in bodies]
    assert {body["msgtype"] for body in bodies} >= BOT_MESSAGES
    assert {body["event"]["eventtype"] for body in bodies if "event" in body} >= BOT_EVENTS


def test_every_archived_message_type_has_a_fixture() -> None:
    records = [json.loads(fixture.body) for fixture in ARCHIVE]
    assert {record.get("msgtype") for record in records} >= ARCHIVED
    assert {record["action"] for record in records} == {"send", "recall", "switch"}


def test_every_class_of_event_comes_from_some_fixture() -> None:
    made_by_us = {"CustomerChatText", "MirrorDue"}
    bases = {cls.__name__ for cls in _event_classes() if cls.__subclasses__()}
    named = {cls.__name__ for cls in _event_classes()} - bases - made_by_us
    assert named <= {fixture.event for fixture in [*APP, *KF, *AIBOT]}


def _event_classes() -> list[type[Event]]:
    found = [getattr(e, name) for name in e.__all__]
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, Event)]
