"""A customer asks in 微信客服, in a group, in a single chat, or the AI bot."""

import pytest
from sqlmodel import select

from bot.context import BotChat, KfChat, KfHandOver, KfWelcome, StaffChat, Welcome
from bot.ids import CustomerId, StaffId
from customers import AibotCapability, find_customer, find_group
from handlers import ReplySuggestionRow, SuggestionState, access_suggestion, do_mark_suggestion_sent
from sop import list_todos
from tests.scenarios.desk import HER_GROUP, KF, LI_NA, WANG_FANG, Desk, only_card, only_text, words

QUESTION = "一年定期利率是多少"


async def todos_of(desk: Desk, staff: str = "rm001") -> list[str]:
    async with desk.db.reading() as tx:
        return [todo.title for todo in await list_todos(tx, StaffId(staff), desk.clock.now().date())]


async def suggestions(desk: Desk) -> list[ReplySuggestionRow]:
    async with desk.db.reading() as tx:
        return list((await tx.exec(select(ReplySuggestionRow))).all())


# -- 微信客服


async def test_entering_customer_is_welcomed_with_the_code(desk: Desk) -> None:
    (reply,) = await desk.enter_kf("code-1")
    assert isinstance(reply.to, KfWelcome)
    assert "96000" in reply.content.plain_text()
    assert await desk.enter_kf(None) == []


async def test_customer_gets_approved_script_exactly_when_question_matches(desk: Desk) -> None:
    (reply,) = await desk.ask_kf(QUESTION)
    assert isinstance(reply.to, KfChat)
    assert reply.evidence["script"] == "S-0003"
    assert "来源" not in reply.content.plain_text()
    assert "{" not in reply.content.plain_text()


async def test_unsure_question_becomes_a_menu_and_the_number_answers(desk: Desk) -> None:
    listed = words(await desk.ask_kf("定期"))
    assert "1. " in listed
    assert "2. " in listed
    (answer,) = await desk.ask_kf("2")
    assert str(answer.evidence["script"]).startswith("S-")


async def test_number_beyond_the_list_is_not_guessed(desk: Desk) -> None:
    await desk.ask_kf("定期")
    assert "已失效" in only_text(await desk.ask_kf("9"))


@pytest.mark.parametrize(
    ("text", "said", "todo"),
    [
        ("我的银行卡丢了", "挂失", "挂失求助"),
        ("有笔钱不是我转的，卡被盗刷了", "110", "疑似诈骗"),
        ("我要投诉你们柜员态度太差", "抱歉", "投诉"),
    ],
)
async def test_urgent_matter_gets_the_hotline_first_and_a_manager_at_once(
    desk: Desk, text: str, said: str, todo: str
) -> None:
    first, alert, transfer = await desk.ask_kf(text)
    assert isinstance(transfer.to, KfHandOver)
    assert isinstance(first.to, KfChat)
    assert said in first.content.plain_text()
    assert "96000" in first.content.plain_text()
    assert alert.to == StaffChat(LI_NA)
    assert text in alert.content.plain_text()
    assert any(todo in title for title in await todos_of(desk))


@pytest.mark.parametrize(
    ("text", "said"), [("查一下我卡里余额", "不能在聊天里查询账户信息"), ("帮我转5000块给我妈", "都不能代您办理")]
)
async def test_account_matters_are_refused_and_routed(desk: Desk, text: str, said: str) -> None:
    assert said in only_text(await desk.ask_kf(text))


async def test_advice_gets_the_suitability_wording_and_a_person(desk: Desk) -> None:
    assert "风险测评" in only_text(await desk.ask_kf("给我推荐个收益高的理财"))
    assert any("投资建议" in title for title in await todos_of(desk))


async def test_unsubscribing_takes_effect_at_once(desk: Desk) -> None:
    assert "不会再向您发送" in only_text(await desk.ask_kf("退订"))
    async with desk.db.reading() as tx:
        customer = await find_customer(tx, WANG_FANG)
    assert customer is not None
    assert customer.opted_out


async def test_human_is_brought_to_the_customers_own_manager(desk: Desk) -> None:
    said, transfer = await desk.ask_kf("转人工")
    assert "客户经理联系您" in said.content.plain_text()
    assert transfer.to == KfHandOver(KF, WANG_FANG, LI_NA)
    assert any("人工" in title for title in await todos_of(desk))


async def test_unknown_customer_goes_to_the_one_on_duty(desk: Desk) -> None:
    assert "客户经理" in words(await desk.ask_kf("转人工", CustomerId("wmSTRANGER")))
    assert any("人工" in title for title in await todos_of(desk, "rm002"))
    assert await todos_of(desk) == []


async def test_question_without_script_is_handed_over_and_not_guessed(desk: Desk) -> None:
    answer = only_text(await desk.ask_kf("你们收不收清朝的银元宝抵押"))
    assert "还不能准确回答" in answer
    assert any("话术库没有答案" in title for title in await todos_of(desk))


# -- groups and single chats, through the archive


async def test_question_in_the_group_brings_the_owner_a_card_with_the_reply(desk: Desk) -> None:
    (reply,) = await desk.write_in_group(QUESTION)
    card = only_card([reply])
    (row,) = await suggestions(desk)
    assert reply.to == StaffChat(LI_NA)
    assert dict(card.facts) == {"客户群": "城东理财交流1群", "客户": "王芳", "问题": QUESTION}
    assert card.url is not None
    assert card.url.endswith(f"/sidebar/reply/{row.id}")
    assert card.url_text == "一键发送"
    assert row.text == card.description


async def test_same_message_read_twice_makes_one_suggestion(desk: Desk) -> None:
    await desk.write_in_group(QUESTION, "archived-1")
    await desk.write_in_group(QUESTION, "archived-1")
    assert len(await suggestions(desk)) == 1


@pytest.mark.parametrize("text", ["哈哈哈", "好的收到", "今天天气真不错", "大家早上好", "谢谢李经理"])
async def test_chatter_gets_nothing(desk: Desk, text: str) -> None:
    assert await desk.write_in_group(text) == []
    assert await suggestions(desk) == []


async def test_question_in_a_single_chat_goes_to_that_manager(desk: Desk) -> None:
    (reply,) = await desk.write_to_manager(QUESTION)
    assert reply.to == StaffChat(LI_NA)
    assert "客户群" not in words([reply])


async def test_anger_in_the_group_alerts_the_owner(desk: Desk) -> None:
    (reply,) = await desk.write_in_group("你们什么态度，我要投诉")
    card = only_card([reply])
    assert card.title == "客户需要您尽快联系"
    assert ("客户群", "城东理财交流1群") in card.facts
    assert await suggestions(desk) == []


async def test_sent_suggestion_is_recorded_once_and_refused_to_others(desk: Desk) -> None:
    await desk.write_in_group(QUESTION)
    (row,) = await suggestions(desk)
    now = desk.clock.now()
    async with desk.db.transaction() as tx:
        offered = await access_suggestion(tx, LI_NA, row.id)
        await do_mark_suggestion_sent(tx, LI_NA, row.id, offered.text, now)
        await do_mark_suggestion_sent(tx, LI_NA, row.id, offered.text, now)
    (sent,) = await suggestions(desk)
    assert (sent.state, sent.sent_at) == (SuggestionState.SENT, now)
    from bot.errors import Forbidden

    async with desk.db.reading() as tx:
        with pytest.raises(Forbidden):
            await access_suggestion(tx, StaffId("rm002"), row.id)


# -- the AI bot


async def test_mentioned_bot_answers_itself_and_the_group_is_known_to_admit_it(desk: Desk) -> None:
    (reply,) = await desk.mention_bot(QUESTION)
    assert isinstance(reply.to, BotChat)
    assert reply.evidence["script"] == "S-0003"
    async with desk.db.reading() as tx:
        group = await find_group(tx, HER_GROUP)
    assert group is not None
    assert group.aibot is AibotCapability.ADMITTED


async def test_after_that_the_archive_copy_of_a_mention_is_left_to_the_bot(desk: Desk) -> None:
    await desk.mention_bot(QUESTION)
    assert await desk.write_in_group(f"@小助手 {QUESTION}") == []
    assert len(await desk.write_in_group(QUESTION)) == 1


async def test_bot_keeps_accounts_out_of_the_group(desk: Desk) -> None:
    assert "不要在群里谈账户信息" in words(await desk.mention_bot("我卡里还有多少钱"))


async def test_bot_without_an_answer_says_so_and_tells_the_owner(desk: Desk) -> None:
    assert "还不能准确回答" in words(await desk.mention_bot("你们收不收清朝的银元宝抵押"))
    assert any("话术库没有答案" in title for title in await todos_of(desk))


# -- a new customer


async def test_new_customer_is_welcomed_with_the_code_only(desk: Desk) -> None:
    (reply,) = await desk.add_customer("welcome-1")
    assert isinstance(reply.to, Welcome)
    assert "李娜" in reply.content.plain_text()
    assert await desk.add_customer(None) == []
