"""What the platform answers is read field by field; what is not as documented is named, never shown."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.ids import CustomerId, StaffId
from bot.wecom.answers import Answer, AnswerUnreadable
from bot.wecom.api import acquisition, aibot, attachments, jssdk, kf, login, media, messages, moments, tags, welcome
from tests.bot.api.scripted import ScriptedPlatform
from tests.contracts.catalogue import check_request

VECTORS = Path(__file__).parents[2] / "fixtures" / "wecom" / "vectors.json"
LI = StaffId("li")


def test_page_signature_is_that_of_the_official_example() -> None:
    (vector,) = find_vectors(json.loads(VECTORS.read_text("utf-8")), "jssdk-config-signature")
    ticket, nonce, at = vector["jsapi_ticket"], vector["noncestr"], int(vector["timestamp"])
    assert jssdk.sign_page(ticket, nonce, at, vector["url"]) == vector["signature"]
    assert jssdk.sign_page(ticket, nonce, at, f"{vector['url']}#part/of?the=page") == vector["signature"]
    assert jssdk.sign_page(ticket, nonce, at, f"{vector['url']}&more=1") != vector["signature"]


def find_vectors(tree: Any, key: str) -> list[Mapping[str, str]]:
    if isinstance(tree, dict):
        found = [tree] if tree.get("id") == key else []
        return found + [row for value in tree.values() for row in find_vectors(value, key)]
    if isinstance(tree, list):
        return [row for value in tree for row in find_vectors(value, key)]
    return []


async def test_success_with_names_tells_who_was_not_reached() -> None:
    platform = ScriptedPlatform(
        {"msgid": "m1", "invaliduser": "wang|zhao", "unlicenseduser": "sun", "response_code": "code"}
    )
    message = messages.AppMessage(agent_id=1, staff_ids=(LI,), body=messages.TextBody("好"))
    sent = await messages.send_message(platform, message)
    assert sent == messages.SentMessage("m1", ("wang", "zhao"), (), (), ("sun",), "code")


@pytest.mark.parametrize(
    ("fields", "visitor"),
    [
        ({"userid": "li", "user_ticket": "t"}, login.Visitor(LI, "t", None, None)),
        ({"UserId": "li", "DeviceId": "d"}, login.Visitor(LI, None, None, None)),
        ({"OpenId": "o", "external_userid": "wm1"}, login.Visitor(None, None, "o", CustomerId("wm1"))),
        ({"openid": "o"}, login.Visitor(None, None, "o", None)),
    ],
    ids=["member", "member, old spelling", "outsider, old spelling", "outsider"],
)
async def test_visitor_is_read_in_both_spellings(fields: Mapping[str, Any], visitor: login.Visitor) -> None:
    assert await login.get_visitor(ScriptedPlatform(fields), "code") == visitor
    assert await login.get_visitor_by_old_path(ScriptedPlatform(fields), "code") == visitor


@pytest.mark.parametrize("created_at", [1_700_000_000, "1700000000"])
async def test_time_of_an_upload_is_read_as_number_and_as_text(created_at: object) -> None:
    stored = media.read_media(Answer(media.UPLOAD, {"media_id": "m1", "created_at": created_at}))
    assert stored.created_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert stored.expires_at - stored.created_at == media.MEDIA_LIVES


async def test_moment_job_that_is_not_done_has_no_result_yet() -> None:
    job = await moments.get_moment_job(ScriptedPlatform({"status": 2, "type": "add_moment_task"}), "job1")
    assert (job.status, job.moment_id, job.errcode) == (moments.MomentJobStatus.RUNNING, None, 0)


async def test_group_welcome_gives_back_what_is_attached() -> None:
    fields = {"text": {"content": "欢迎"}, "link": {"title": "题", "url": "https://x.example"}}
    template = await welcome.get_group_welcome(ScriptedPlatform(fields), "tpl1")
    assert template == welcome.GroupWelcome("欢迎", attachments.LinkAttachment("题", "https://x.example"))
    assert (await welcome.get_group_welcome(ScriptedPlatform({}), "tpl1")).attachment is None


async def test_status_that_is_not_documented_does_not_stop_the_list() -> None:
    rows = [{"external_userid": f"wm{status}", "chat_status": status} for status in (0, 1, 2)]
    found = [row async for row in acquisition.iter_link_customers(ScriptedPlatform({"customer_list": rows}), "l1")]
    assert [row.has_written for row in found] == [False, True, None]


async def test_department_that_serves_has_no_state_of_its_own() -> None:
    rows = [{"userid": "li", "status": 1}, {"department_id": 3}]
    found = await kf.list_servicers(ScriptedPlatform({"servicer_list": rows}), "wk1")
    assert found == (kf.Servicer(LI, None, False), kf.Servicer(None, 3, None))


async def test_deleted_tags_are_told_as_such() -> None:
    tag = {"id": "t1", "name": "稳健", "order": 1, "deleted": True, "create_time": 5}
    group = {"group_id": "g1", "group_name": "偏好", "order": 0, "tag": [tag]}
    (found,) = await tags.list_tag_groups(ScriptedPlatform({"tag_group": [group]}))
    assert found.tags[0].deleted
    assert not found.deleted


@pytest.mark.parametrize(
    ("read", "value"),
    [
        ("truth", 77),
        ("truth", "1"),
        ("decimal", True),
        ("decimal", "0.5"),
        ("digits", "1a"),
        ("digits", "１"),
        ("text", 5),
        ("child", []),
        ("texts", "x"),
        ("find_child", "x"),
    ],
)
def test_field_of_another_type_is_named_and_not_shown(read: str, value: object) -> None:
    answer = Answer("GET /cgi-bin/x", {"field": value}, "items[2].")
    with pytest.raises(AnswerUnreadable) as unreadable:
        getattr(answer, read)("field")
    assert "items[2].field is missing or not of the documented type" in str(unreadable.value)
    assert repr(value) not in str(unreadable.value)


def test_missing_field_is_an_error_only_without_a_default() -> None:
    answer = Answer("GET /cgi-bin/x", {"none": None})
    assert (answer.truth("none", False), answer.decimal("none", 1.5), answer.digits("none", 3)) == (False, 1.5, 3)
    assert answer.find_child("none") is None
    assert not answer.has("none")
    for read in (answer.truth, answer.decimal, answer.digits):
        with pytest.raises(AnswerUnreadable):
            read("none")


@pytest.mark.parametrize(
    "body", [aibot.BotMarkdown("好"), aibot.BotMarkdown("好", "f1")], ids=["words", "words with feedback"]
)
def test_answer_to_the_ai_bots_address_is_as_the_catalogue_says(body: aibot.BotMarkdown) -> None:
    sent = aibot.response_body(aibot.BotResponse(body))
    assert check_request(aibot.RESPOND, {"response_code": "c"}, sent) == []
