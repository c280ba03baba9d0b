"""A retry is one event, two events of the same second are two, and conversations say how urgent they are."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.doors.readers import AiBotReader, AppReader, archived_text_row, kf_row, mirror_row, read_event
from bot.errors import CallbackMalformed
from bot.events import MirrorDue, MirrorKind
from bot.inbox.models import InboxRow, NewInboxRow, Source
from bot.inbox.store import put_events
from bot.storage.database import Database
from tests.bot.fixtures import load_fixtures

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def app(**values: str) -> NewInboxRow:
    values = {"ToUserName": "ww1", "FromUserName": "sys", "CreateTime": "1767225600", "MsgType": "event", **values}
    body = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return AppReader().row(f"<xml>{body}</xml>".encode(), NOW)


def bot(**values: Any) -> NewInboxRow:
    body = {"msgid": "m1", "aibotid": "b", "from": {"userid": "rm001"}, "msgtype": "text", **values}
    return AiBotReader().row(json.dumps(body).encode(), NOW)


def kf(**values: Any) -> NewInboxRow:
    item = {"msgid": "m1", "open_kfid": "wk1", "external_userid": "wm1", "origin": 3, "msgtype": "text", **values}
    return kf_row({name: value for name, value in item.items() if value is not None}, "wk1", NOW)


ADDED = {"Event": "change_external_contact", "ChangeType": "add_external_contact"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({**ADDED, "UserID": "a", "ExternalUserID": "wm1"}, {**ADDED, "UserID": "a", "ExternalUserID": "wm2"}),
        ({**ADDED, "UserID": "a", "ExternalUserID": "wm1"}, {**ADDED, "UserID": "b", "ExternalUserID": "wm1"}),
        ({"Event": "click", "EventKey": "A"}, {"Event": "click", "EventKey": "B"}),
        ({"Event": "template_card_event", "TaskId": "1"}, {"Event": "template_card_event", "TaskId": "2"}),
        (
            {"Event": "change_external_chat", "ChangeType": "update", "ChatId": "wr1", "LastMemVer": "a"},
            {"Event": "change_external_chat", "ChangeType": "update", "ChatId": "wr1", "LastMemVer": "b"},
        ),
        (
            {"Event": "change_external_tag", "ChangeType": "create", "Id": "1"},
            {"Event": "change_external_tag", "ChangeType": "delete", "Id": "1"},
        ),
        ({"Event": "upload_media_job_finish", "JobId": "1"}, {"Event": "upload_media_job_finish", "JobId": "2"}),
        (
            {"Event": "customer_acquisition", "ChangeType": "delete_link", "LinkId": "1"},
            {"Event": "customer_acquisition", "ChangeType": "delete_link", "LinkId": "2"},
        ),
        ({"Event": "enter_agent", "FromUserName": "a"}, {"Event": "enter_agent", "FromUserName": "b"}),
        ({"Event": "enter_agent", "CreateTime": "1"}, {"Event": "enter_agent", "CreateTime": "2"}),
        ({"MsgType": "text", "MsgId": "1"}, {"MsgType": "text", "MsgId": "2"}),
        ({"InfoType": "suite_ticket", "SuiteTicket": "a"}, {"InfoType": "suite_ticket", "SuiteTicket": "b"}),
        # an event has no number; one that carries another's must not vanish behind it
        ({"MsgType": "text", "MsgId": "1"}, {"Event": "click", "MsgId": "1"}),
    ],
)
def test_two_different_app_callbacks_of_one_second_stay_two(one: dict[str, str], other: dict[str, str]) -> None:
    assert app(**one).dedupe_key != app(**other).dedupe_key
    assert app(**one).dedupe_key == app(**one).dedupe_key


def test_a_message_is_known_by_its_number_whatever_else_differs() -> None:
    assert app(MsgType="text", MsgId="9", Content="a").dedupe_key == app(MsgType="text", MsgId="9").dedupe_key
    assert bot(text={"content": "a"}).dedupe_key == bot(text={"content": "b"}).dedupe_key == "aibot:m1"
    assert kf(text={"content": "a"}).dedupe_key == kf(text={"content": "b"}).dedupe_key == "kf:m1"


def test_the_same_number_at_two_doors_is_two_events() -> None:
    assert len({app(MsgType="text", MsgId="m1").dedupe_key, bot().dedupe_key, kf().dedupe_key}) == 3


def test_asking_how_a_stream_stands_never_hides_the_message_it_is_about() -> None:
    message = bot()
    first = bot(msgtype="stream", stream={"id": "s1"})
    assert len({message.dedupe_key, first.dedupe_key, bot(msgtype="stream", stream={"id": "s2"}).dedupe_key}) == 3
    assert first.dedupe_key == bot(msgtype="stream", stream={"id": "s1"}).dedupe_key


def test_a_frame_and_a_webhook_body_of_one_message_are_one() -> None:
    body = {"msgid": "m1", "from": {"userid": "rm001"}, "msgtype": "text", "text": {"content": "x"}}
    frame = {"cmd": "aibot_msg_callback", "headers": {"req_id": "r"}, "body": body}
    rows = [AiBotReader().row(json.dumps(each).encode(), NOW) for each in (body, frame)]
    assert (rows[0].dedupe_key, rows[0].conversation) == (rows[1].dedupe_key, rows[1].conversation)


def test_what_has_no_number_is_told_apart_by_all_its_values() -> None:
    one, other = kf(msgid=None, text={"content": "a"}), kf(msgid=None, text={"content": "b"})
    assert one.dedupe_key != other.dedupe_key
    disconnected = {"msgid": "", "msgtype": "event", "event": {"eventtype": "disconnected_event"}}
    assert bot(**disconnected, create_time=1).dedupe_key != bot(**disconnected, create_time=2).dedupe_key


def test_ids_of_impossible_length_still_fit_into_an_index() -> None:
    for row in (
        app(MsgType="text", MsgId="9" * 5000, FromUserName="x" * 5000),
        bot(msgid="m" * 5000, chatid="w" * 5000),
        kf(msgid="m" * 5000, external_userid="w" * 5000, open_kfid="k" * 5000),
    ):
        assert len(row.dedupe_key) < 200
        assert len(row.conversation) < 400
    assert app(MsgType="text", MsgId="9" * 5000).dedupe_key != app(MsgType="text", MsgId="8" * 5000).dedupe_key


def test_every_fixture_has_a_key_of_its_own() -> None:
    keys = [AppReader().row(fixture.body, NOW).dedupe_key for fixture in load_fixtures("app")]
    messages = [key for key in keys if len(key) < 30]
    events = [key for key in keys if len(key) >= 30]
    assert len(set(events)) == len(events)
    assert messages


async def test_copies_become_one_row_and_different_events_two(db: Database) -> None:
    rows = [app(Event="click", EventKey="A"), app(Event="click", EventKey="B"), app(Event="click", EventKey="A"), kf()]
    async with db.transaction() as tx:
        assert await put_events(tx, rows) == 3
    async with db.transaction() as tx:
        assert await put_events(tx, [*rows, mirror_row(MirrorKind.TAGS, "", NOW, "sweep-1")]) == 1


# --- conversations ---


@pytest.mark.parametrize("change", ["add_external_contact", "add_half_external_contact", "msg_audit_approved"])
def test_a_welcome_code_makes_a_conversation_of_its_own(change: str) -> None:
    event = {"Event": "change_external_contact", "ChangeType": change, "UserID": "rm001", "ExternalUserID": "wm1"}
    assert app(**event, WelcomeCode="CODE").conversation == "welcome:rm001:wm1"
    assert app(**event).conversation == "customer:wm1"


def test_an_entry_with_a_welcome_code_overtakes_the_chat() -> None:
    entered = {"event_type": "enter_session", "open_kfid": "wk1", "external_userid": "wm1"}
    event = {"open_kfid": None, "external_userid": None, "origin": 4, "msgtype": "event"}
    assert kf(**event, event={**entered, "welcome_code": "C"}).conversation == "welcome:kf:wk1:wm1"
    assert kf(**event, event=entered).conversation == "kf:wk1:wm1"
    assert kf().conversation == "kf:wk1:wm1"
    assert kf(open_kfid=None).conversation == "kf:wk1:wm1"


def test_notices_that_ask_for_a_pull_wait_for_each_other_only() -> None:
    assert app(Event="KF_MSG_OR_EVENT", OpenKfId="wk1", Token="t").conversation == "pull:kf:wk1"
    assert app(Event="msgaudit_notify").conversation == "pull:archive"


@pytest.mark.parametrize(
    ("values", "conversation"),
    [
        ({"MsgType": "text", "FromUserName": "rm001"}, "app:rm001"),
        ({"Event": "change_contact", "ChangeType": "update_user", "UserID": "rm001"}, "member:rm001"),
        ({"Event": "change_external_chat", "ChangeType": "create", "ChatId": "wr1"}, "group:wr1"),
        ({"Event": "Change_External_Tag", "ChangeType": "shuffle"}, "sys:change_external_tag"),
        ({"InfoType": "suite_ticket", "MsgType": ""}, "sys:suite_ticket"),
    ],
)
def test_what_belongs_together_is_handled_in_order(values: dict[str, str], conversation: str) -> None:
    assert app(**{"Event": "", **values}).conversation == conversation


# --- what we say to ourselves ---


@pytest.mark.parametrize("kind", MirrorKind)
def test_a_stale_copy_is_named_by_one_row_for_each_cause(kind: MirrorKind) -> None:
    new = mirror_row(kind, "obj1", NOW, "app:77")
    assert (new.source, new.conversation, new.event_type) == (Source.MIRROR, f"mirror:{kind}:obj1", "MirrorDue")
    assert new.dedupe_key == mirror_row(kind, "obj1", NOW, "app:77").dedupe_key
    assert new.dedupe_key != mirror_row(kind, "obj1", NOW, "app:78").dedupe_key
    assert new.dedupe_key != mirror_row(kind, "obj2", NOW, "app:77").dedupe_key
    event = read_event(_stored(new))
    assert isinstance(event, MirrorDue)
    assert (event.kind, event.object_id, event.occurred_at) == (kind, "obj1", NOW)


@pytest.mark.parametrize(
    ("source", "body"),
    [(Source.MIRROR, '{"kind": "moon", "at": ""}'), (Source.MIRROR, "{}"), (Source.ARCHIVE, "{}"), (Source.KF, "[]")],
)
def test_a_row_that_nobody_made_is_refused(source: Source, body: str) -> None:
    row = InboxRow(source=source, dedupe_key="k", conversation="c", event_type="", body=body, received_at=NOW)
    with pytest.raises(CallbackMalformed):
        read_event(row)


def test_words_from_the_archive_are_one_row_and_read_back() -> None:
    new = archived_text_row(
        msg_id="a1", chat_id=None, customer_id="wm1", staff_id="rm001", text="在吗", sent_at=NOW, received_at=NOW
    )
    assert (new.dedupe_key, new.conversation) == ("archive:a1", "archive:rm001:wm1")
    event = read_event(_stored(new))
    assert (event.occurred_at, type(event).__name__) == (NOW, "CustomerChatText")


@pytest.mark.parametrize(
    "item",
    [
        {"msgid": "1", "msgtype": "text", "text": {"content": "\ud800 在吗"}},
        {"msgid": 1, "msgtype": None, "event": "not an object"},
        {"msgid": "1", "msgtype": "event", "event": ["x"]},
        {},
    ],
)
def test_an_odd_item_is_stored_all_the_same(item: dict[str, Any]) -> None:
    row = kf_row(item, "wk1", NOW)
    row.body.encode()
    read_event(_stored(row))


@pytest.mark.parametrize("item", [{"x": float("nan")}, {"x": object()}, {"x": [[[[[[[[{}]]]]]]]] * 30_000}])
def test_an_item_nobody_could_have_sent_is_refused_alone(item: dict[str, Any]) -> None:
    with pytest.raises(CallbackMalformed):
        kf_row(item, "wk1", NOW)


def _stored(new: NewInboxRow) -> InboxRow:
    return InboxRow(
        source=new.source,
        dedupe_key=new.dedupe_key,
        conversation=new.conversation,
        event_type=new.event_type,
        body=new.body,
        received_at=new.received_at,
    )
