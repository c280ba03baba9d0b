"""Passive replies of the app: every documented form is shown, and what the platform would not take is noted."""

import pytest

from simulator.passive_app import read_xml_card
from tests.simulator.contract.book import Book
from tests.simulator.harness import Json, Sim
from tests.simulator.test_callbacks import passive

SEND = "POST /cgi-bin/message/send"
CARD: Json = {
    "CardType": "button_interaction",
    "Source": {"Desc": "示范银行", "DescColor": 1},
    "MainTitle": {"Title": "已交接"},
    "HorizontalContentList": [{"KeyName": "人", "Value": "李娜", "Type": 3, "UserId": "rm001"}],
    "TaskId": "task-1",
    "ButtonList": [{"Text": "查看", "Key": "see", "Style": 1}, {"Text": "忽略", "Key": "skip"}],
}


async def answered(sim: Sim, fields: dict[str, object], **sender: str) -> Json:
    """Let rm001 write, answer at once, and return the delivery log's entry."""
    sim.bot.answer = passive(sim, {**fields, **sender})
    await sim.do("app/messages", {"userid": "rm001", "text": "在吗"})
    return dict((await sim.see("callbacks"))[0])


async def test_every_form_is_shown(sim: Sim) -> None:
    book = Book(sim)
    article = {"Title": "公告", "Description": "今日", "PicUrl": "", "Url": "https://bank.example/n"}
    forms: list[tuple[dict[str, object], str]] = [
        ({"MsgType": "text", "Content": "汉" * 700}, "汉" * 682),
        ({"MsgType": "image", "Image": {"MediaId": await book.media()}}, "[图片]a.image"),
        ({"MsgType": "voice", "Voice": {"MediaId": await book.media("voice")}}, "[语音]a.voice"),
        ({"MsgType": "video", "Video": {"MediaId": await book.media("video"), "Title": "晨会"}}, "[视频]a.video"),
        ({"MsgType": "news", "ArticleCount": 1, "Articles": {"item": [article]}}, "[图文] 公告"),
    ]
    for fields, shown in forms:
        entry = await answered(sim, fields)
        assert entry["attempts"][-1]["error"] is None
        assert (await sim.lines("app", "rm001"))[-1]["text"] == shown
    assert await sim.see("sent", kind="message") == []


@pytest.mark.parametrize(
    ("fields", "errcode"),
    [
        ({"MsgType": "text", "Content": ""}, 44004),
        ({"MsgType": "text", "Content": "在", "ToUserName": "rm002"}, 40058),
        ({"MsgType": "text", "Content": "在", "FromUserName": "ww9"}, 40058),
        ({"MsgType": "image", "Image": {"MediaId": "none"}}, 40007),
        ({"MsgType": "news", "Articles": {"item": [{"Title": "x", "Url": "https://x.example"}] * 9}}, 45008),
        ({"MsgType": "markdown", "Content": "x"}, 40008),
        ({"MsgType": "update_button", "Button": {"ReplaceName": "好"}}, 40058),
        ({"MsgType": "update_template_card", "TemplateCard": CARD}, 40058),
    ],
)
async def test_what_the_platform_would_not_take_is_noted(sim: Sim, fields: dict[str, object], errcode: int) -> None:
    entry = await answered(sim, fields)
    assert str(errcode) in entry["attempts"][-1]["error"]
    assert len(await sim.lines("app", "rm001")) == 1


async def test_whole_card_is_replaced_for_the_one_who_clicked(sim: Sim) -> None:
    await sim.api(SEND, {**sim.button_card(), "touser": "rm001|rm002"})
    sim.bot.answer = passive(sim, {"MsgType": "update_template_card", "TemplateCard": CARD})
    await sim.do("app/clicks", {"userid": "rm001", "task_id": "task-1", "key": "yes"})
    mine, other = await sim.lines("app", "rm001"), await sim.lines("app", "rm002")
    assert mine[0]["card"]["title"] == "已交接"
    assert [button["key"] for button in mine[0]["card"]["buttons"]] == ["see", "skip"]
    assert other[0]["card"]["title"] == "群发待确认"


def test_xml_card_gets_the_names_lists_and_numbers_of_message_send() -> None:
    card = read_xml_card({**CARD, "ButtonList": {"Text": "查看", "Key": "see", "Style": "2"}, "SubTitleText": "3"})
    assert card["button_list"] == [{"text": "查看", "key": "see", "style": 2}]
    assert card["horizontal_content_list"] == [{"keyname": "人", "value": "李娜", "type": 3, "userid": "rm001"}]
    assert (card["source"]["desc_color"], card["sub_title_text"], card["task_id"]) == (1, "3", "task-1")
