"""A pressed card shows what became of it and cannot be pressed again; the answer itself comes all the same."""

from bot.context import Card, CardUpdate, Text
from bot.events import CardButtonClicked
from bot.ids import StaffId
from bot.outbox.store import enqueue_reply
from handlers import apology_for
from sop import TodoKind, do_create_todo
from tests.scenarios.desk import LI_NA, WANG_FANG, Desk, key_of, only_card, only_text, words


def outcomes(desk: Desk) -> list[str]:
    """Return what stands on the pressed buttons."""
    return [content.body for content in desk.changed_cards if isinstance(content, Text)]


async def three_tasks(desk: Desk) -> Card:
    """Give the manager three to-dos and return the card that lists them; presses are on that card."""
    async with desk.db.transaction() as tx:
        for title in ("回访王芳", "回访刘洋", "回访周婷"):
            await do_create_todo(
                tx, LI_NA, TodoKind.FOLLOW_UP, title, "", f"customer:{WANG_FANG}:{title}", desk.clock.now()
            )
    card = only_card(await desk.say("今日待办"))
    desk.pressed_task = card.task_id or ""
    return card


async def test_confirmed_draft_says_so_on_its_button_and_once_more_is_dealt_with(desk: Desk) -> None:
    card = only_card(await desk.say("明天上午十点给我的客户群发大额存单话术"))
    if card.title == "选哪条话术？":
        card = only_card(await desk.press(card.buttons[0].key))
        assert outcomes(desk) == ["已选择"]
        desk.changed_cards.clear()
    await desk.press(key_of(card, "确认"))
    await desk.press(key_of(card, "取消"))
    assert outcomes(desk) == ["已确认", "已取消"]
    await desk.press(key_of(card, "确认"))
    assert outcomes(desk)[-1] == "已处理"


async def test_draft_of_somebody_else_is_neither_confirmed_nor_said_to_be(desk: Desk) -> None:
    card = only_card(await desk.say("明天上午十点给我的客户群发大额存单话术"))
    if card.title == "选哪条话术？":
        card = only_card(await desk.press(card.buttons[0].key))
    desk.changed_cards.clear()
    await desk.press(key_of(card, "确认"), StaffId("rm002"))
    assert outcomes(desk) == ["已处理"]


async def test_word_instead_of_a_press_changes_no_card(desk: Desk) -> None:
    card = only_card(await desk.say("明天上午十点给我的客户群发大额存单话术"))
    if card.title == "选哪条话术？":
        await desk.press(card.buttons[0].key)
    desk.changed_cards.clear()
    await desk.say("确认")
    assert desk.changed_cards == []


async def test_chosen_script_and_chosen_customer_close_their_cards(desk: Desk) -> None:
    card = only_card(await desk.say("定期"))
    await desk.press(card.buttons[0].key)
    card = only_card(await desk.say("查一下刘洋"))
    await desk.press(card.buttons[0].key)
    assert outcomes(desk) == ["已选择", "已选择"]


async def test_card_that_is_of_no_use_any_more_says_so(desk: Desk) -> None:
    for key in ("script:S-9999:1", "customer:wmDEMO0004", "suggestion:none", "broadcast-script:S-0001", "unknown:key"):
        await desk.press(key)
    assert outcomes(desk) == ["已失效"] * 5


async def test_task_card_goes_on_with_what_is_left_until_nothing_is(desk: Desk) -> None:
    card = await three_tasks(desk)
    assert "已完成：回访王芳" in only_text(await desk.press(key_of(card, "第1项")))
    (left,) = desk.changed_cards
    assert isinstance(left, Card)
    assert left.task_id == card.task_id
    assert "回访王芳" not in left.description
    assert "回访刘洋" in left.description
    assert len(left.buttons) == 2
    for button in left.buttons:
        await desk.press(button.key)
    assert outcomes(desk) == ["已完成"]


async def test_task_card_without_a_day_is_closed(desk: Desk) -> None:
    card = await three_tasks(desk)
    desk.pressed_task = "tasks_of_an_earlier_version"
    await desk.press(key_of(card, "第1项"))
    assert outcomes(desk) == ["已完成"]


async def test_answer_comes_first_and_the_change_names_the_press(desk: Desk) -> None:
    pressed = CardButtonClicked(
        fields={}, occurred_at=None, staff_id=LI_NA, key="script:S-9999:1", task_id="task7", response_code="code7"
    )
    answer, change = await desk.happen(pressed)
    assert "已更新或停用" in answer.content.plain_text()
    assert change.to == CardUpdate("code7", LI_NA, "task7")
    assert change.expires_at is not None


async def test_press_without_a_code_is_answered_and_changes_nothing(desk: Desk) -> None:
    pressed = CardButtonClicked(
        fields={}, occurred_at=None, staff_id=LI_NA, key="script:S-9999:1", task_id="task7", response_code=""
    )
    assert "已更新或停用" in words(await desk.happen(pressed))
    assert desk.changed_cards == []


async def test_card_that_cannot_be_changed_does_not_take_the_answer_with_it(desk: Desk) -> None:
    card = await three_tasks(desk)
    desk.pressed_task = f"not one of ours {'x' * 200}@2026-11-23"
    assert "已完成：回访王芳" in only_text(await desk.press(key_of(card, "第1项")))
    assert desk.changed_cards == []


async def test_blocked_change_of_a_card_is_not_apologised_for(desk: Desk) -> None:
    pressed = CardButtonClicked(
        fields={}, occurred_at=None, staff_id=LI_NA, key="script:S-9999:1", task_id="task7", response_code="code7"
    )
    _, change = await desk.happen(pressed)
    async with desk.db.transaction() as tx:
        row = await enqueue_reply(tx, change, desk.services.gate, desk.clock.now())
    assert apology_for(pressed, row) == ()
