"""Records of the session archive become messages with all their words."""

import json
from typing import Any

import pytest

from compliance import ChatKind, SenderKind
from compliance.errors import RecordMalformed
from compliance.messages import ArchivedMessageIn
from compliance.records import parse_record, revoked_msgid


def read(msgtype: str, **fields: Any) -> ArchivedMessageIn:
    record = {
        "msgid": "9001",
        "action": "send",
        "from": "rm001",
        "tolist": ["wm0001"],
        "roomid": "",
        "msgtime": 1_795_000_000_123,
        "msgtype": msgtype,
        **fields,
    }
    return parse_record(json.dumps(record, ensure_ascii=False), seq=7)


def a_part(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "content": json.dumps(body, ensure_ascii=False)}


@pytest.mark.parametrize(
    ("msgtype", "fields", "text"),
    [
        ("text", {"text": {"content": "您好"}}, "您好"),
        ("markdown", {"info": {"content": "**您好**"}}, "**您好**"),
        ("image", {"image": {"md5sum": "x", "sdkfileid": "f"}}, "[图片]"),
        ("voice", {"voice": {"voice_size": 1}}, "[语音]"),
        ("file", {"file": {"filename": "保本产品.pdf"}}, "[文件]保本产品.pdf"),
        (
            "link",
            {"link": {"title": "标题", "description": "说明", "link_url": "https://example.com"}},
            "[链接]标题\n说明\nhttps://example.com",
        ),
        ("weapp", {"weapp": {"title": "预约", "displayname": "示范银行"}}, "[小程序]预约\n示范银行"),
        ("location", {"location": {"title": "城东支行", "address": "某路1号"}}, "[位置]城东支行\n某路1号"),
        ("card", {"card": {"corpname": "示范银行", "userid": "rm002"}}, "[名片]示范银行\nrm002"),
        ("vote", {"vote": {"votetitle": "去哪", "voteitem": ["东", "西"]}}, "[投票]去哪\n东\n西"),
        ("vote", {"votetitle": "去哪", "voteitem": ["东"]}, "[投票]去哪\n东"),
        ("collect", {"collect": {"title": "登记", "details": [{"ques": "姓名"}]}}, "[收集表]登记\n姓名"),
        ("redpacket", {"redpacket": {"wish": "恭喜", "totalamount": 100}}, "[红包]恭喜"),
        ("external_redpacket", {"redpacket": {"wish": "恭喜"}}, "[红包]恭喜"),
        ("meeting", {"meeting": {"topic": "早会"}}, "[会议]早会"),
        (
            "docmsg",
            {"doc": {"title": "名单", "link_url": "https://example.com/d"}},
            "[文档]名单\nhttps://example.com/d",
        ),
        ("news", {"info": {"item": [{"title": "甲"}, {"title": "乙"}]}}, "[图文]甲\n乙"),
        (
            "calendar",
            {"calendar": {"title": "回访", "attendeename": ["李娜"], "place": "网点"}},
            "[日程]回访\n李娜\n网点",
        ),
        ("sphfeed", {"sphfeed": {"sph_name": "号", "feed_desc": "稳赚"}}, "[视频号]号\n稳赚"),
        ("todo", {"todo": {"title": "回电", "content": "今天"}}, "[待办]回电\n今天"),
        ("qydiskfile", {"info": {"filename": "表.xlsx"}}, "[微盘文件]表.xlsx"),
        ("voiptext", {"info": {"callduration": 3}}, "[通话]"),
        ("solitaire", {"solitaire": {"x": 1}}, "[solitaire]"),
    ],
)
def test_every_kind_shows_its_words(msgtype: str, fields: dict[str, Any], text: str) -> None:
    message = read(msgtype, **fields)
    assert (message.msgtype, message.text, message.source_seq) == (msgtype, text, 7)


def test_merged_records_are_unfolded_with_what_is_nested_in_them() -> None:
    inner = {"title": "内层", "item": [a_part("ChatRecordText", {"content": "亏了我赔"})]}
    message = read(
        "chatrecord",
        chatrecord={
            "title": "聊天记录",
            "item": [
                a_part("ChatRecordText", {"content": "先看看"}),
                a_part("ChatRecordFile", {"filename": "合同.pdf"}),
                a_part("chatrecord", inner),
            ],
        },
    )
    for words in ("先看看", "合同.pdf", "亏了我赔"):
        assert words in message.text


def test_mixed_messages_show_all_parts_even_a_broken_one() -> None:
    message = read("mixed", mixed={"item": [a_part("text", {"content": "看图"}), {"type": "image", "content": "{bad"}]})
    assert "看图" in message.text
    assert "{bad" in message.text


def test_a_bottomless_record_ends() -> None:
    body: dict[str, Any] = {"title": "底"}
    for _ in range(8):  # each level doubles the escapes
        body = {"title": "层", "item": [a_part("chatrecord", body)]}
    assert "层" in read("chatrecord", chatrecord=body).text


def test_people_and_places_are_told_apart() -> None:
    single = read("text", text={"content": "在"})
    back = read("text", text={"content": "在"}, **{"from": "wm0001", "tolist": ["rm001"]})
    group = read("text", text={"content": "在"}, roomid="wr01", **{"from": "wo0001"})
    assert single.conversation == back.conversation == "single:rm001:wm0001"
    assert (group.chat_kind, group.conversation, group.room_id) == (ChatKind.GROUP, "group:wr01", "wr01")
    assert [m.sender_kind for m in (single, back, group)] == [
        SenderKind.STAFF,
        SenderKind.CUSTOMER,
        SenderKind.CUSTOMER,
    ]


def test_recall_and_switch_are_read() -> None:
    recall = read("revoke", action="recall", revoke={"pre_msgid": "8999"})
    assert revoked_msgid(recall) == "8999"
    assert revoked_msgid(read("text", text={"content": "x"})) is None
    switch = parse_record(json.dumps({"msgid": "1", "action": "switch", "time": 1_795_000_000_000, "user": "rm003"}))
    assert (switch.msgtype, switch.sender_id) == ("switch", "rm003")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("{", "not_json"),
        ("[" * 100_000, "not_json"),
        ("[]", "not_an_object"),
        ("{}", "no_from"),
        ('{"from": "a", "msgtype": "text"}', "no_msgid"),
        ('{"from": "a", "msgid": "1"}', "no_msgtime"),
        ('{"from": "a", "msgid": "1", "msgtime": 1e30}', "bad_msgtime"),
    ],
)
def test_what_is_no_record_is_refused_with_a_reason(payload: str, reason: str) -> None:
    with pytest.raises(RecordMalformed) as refused:
        parse_record(payload)
    assert refused.value.reason == reason
