"""A relationship manager asks, checks a draft, looks at tasks and customers."""

from bot.events import AppEntered
from bot.ids import StaffId
from sop import TodoKind, do_create_todo, list_todos
from tests.scenarios.desk import LI_NA, WANG_FANG, Desk, key_of, only_card, only_text, words


async def test_greeting_by_name_shows_what_can_be_said(desk: Desk) -> None:
    greeting = only_text(await desk.say("你好"))
    assert "李娜" in greeting
    assert "今日待办" in greeting
    assert only_text(await desk.say("帮助")) == greeting


async def test_first_opening_of_the_app_shows_help_and_later_ones_are_quiet(desk: Desk) -> None:
    opened = AppEntered(fields={}, occurred_at=None, staff_id=LI_NA)
    assert "今日待办" in only_text(await desk.happen(opened))
    assert await desk.happen(opened) == []


async def test_product_question_is_answered_with_script_and_source(desk: Desk) -> None:
    (reply,) = await desk.say("一年定期利率是多少")
    assert "来源：话术 S-0003 第1版 · 审批" in reply.content.plain_text()
    assert reply.evidence["script"] == "S-0003"
    assert desk.step("script")["id"] == "S-0003"
    assert desk.step("intent")["name"] == "query_product_rate"


async def test_unsure_question_offers_choices_and_a_press_answers(desk: Desk) -> None:
    card = only_card(await desk.say("定期"))
    assert 2 <= len(card.buttons) <= 3
    (answer,) = await desk.press(card.buttons[1].key)
    assert card.buttons[1].key.split(":")[1] == answer.evidence["script"]
    assert "来源：话术" in answer.content.plain_text()


async def test_old_button_of_a_withdrawn_script_is_refused_honestly(desk: Desk) -> None:
    assert "已更新或停用" in only_text(await desk.press("script:S-9999:1"))


async def test_question_without_script_goes_to_the_knowledge_owner_once(desk: Desk) -> None:
    answer = only_text(await desk.say("行里的食堂这周供应水煮鱼吗怎么订餐"))
    assert "不想随便编" in answer or "帮不上忙" in answer
    if "不想随便编" in answer:
        async with desk.db.reading() as tx:
            (todo,) = await list_todos(tx, StaffId("ad001"), desk.clock.now().date())
        assert "水煮鱼" in todo.body


async def test_draft_with_forbidden_words_is_explained_with_an_alternative(desk: Desk) -> None:
    (reply,) = await desk.say("帮我看看这段话能不能发：这款产品保本保息，稳赚不赔")
    body = reply.content.plain_text()
    assert "不能发" in body
    assert "「保本保息」" in body
    assert "建议改为" in body
    assert "可以这样发" in body
    assert desk.blocked == []


async def test_clean_draft_may_be_sent(desk: Desk) -> None:
    assert "可以发送" in only_text(await desk.say("帮我看看这段话能不能发：明天网点正常营业，欢迎您来坐坐"))


async def test_request_without_a_draft_asks_for_it(desk: Desk) -> None:
    assert "一起发给我" in only_text(await desk.say("帮我看看这段话能不能发"))


async def test_tasks_are_listed_and_closed_with_a_button(desk: Desk) -> None:
    async with desk.db.transaction() as tx:
        await do_create_todo(tx, LI_NA, TodoKind.FOLLOW_UP, "回访王芳", "", f"customer:{WANG_FANG}", desk.clock.now())
    card = only_card(await desk.say("今日待办"))
    assert "回访王芳" in card.description
    assert "已完成：回访王芳" in only_text(await desk.press(key_of(card, "1")))
    assert "没有待办" in only_text(await desk.say("我今天要做什么"))


async def test_somebody_elses_task_cannot_be_closed(desk: Desk) -> None:
    async with desk.db.transaction() as tx:
        todo = await do_create_todo(
            tx, StaffId("rm002"), TodoKind.FOLLOW_UP, "回访周婷", "", "customer:x", desk.clock.now()
        )
        key = f"todo:{todo.id}"
    assert "不在您名下" in only_text(await desk.press(key))
    async with desk.db.reading() as tx:
        assert len(await list_todos(tx, StaffId("rm002"), desk.clock.now().date())) == 1


async def test_own_customer_is_shown_as_a_card(desk: Desk) -> None:
    card = only_card(await desk.say("王芳的资料"))
    assert "王芳" in card.title
    assert any("C3" in value for _, value in card.facts)
    assert len(card.facts) <= 6
    assert card.url


async def test_several_customers_of_one_name_are_offered(desk: Desk) -> None:
    card = only_card(await desk.say("查一下刘洋"))
    assert len(card.buttons) == 2
    assert "企业主" in card.description
    chosen = only_card(await desk.press(card.buttons[0].key))
    assert "刘洋" in chosen.title


async def test_somebody_elses_customer_is_refused(desk: Desk) -> None:
    assert "在您名下没有找到「周婷」" in only_text(await desk.say("周婷的资料"))
    assert "不在您名下" in only_text(await desk.press("customer:wmDEMO0004"))


async def test_what_the_chat_cannot_do_is_said_and_not_guessed(desk: Desk) -> None:
    answer = only_text(await desk.say("给王芳打上高净值标签"))
    assert "「打标签」" in answer
    assert "工作台" in answer


async def test_picture_gets_an_honest_line(desk: Desk) -> None:
    assert "看懂文字" in words(await desk.send_picture())


async def test_own_reply_that_would_repeat_forbidden_words_is_held_back_and_explained(desk: Desk) -> None:
    answer = only_text(await desk.say("查一下客户稳赚不赔的资料"))
    assert len(desk.blocked) == 1
    assert "没有通过合规检查" in answer
    assert "「稳赚不赔」" in answer
