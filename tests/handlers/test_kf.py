"""The conversation in 微信客服: menus, a person's turn, and answers that fit into what may still be said."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.context import KfChat, KfHandOver, KfWelcome, Menu, Reply, StaffChat, Text
from bot.dispatcher import Dispatcher
from bot.events import (
    Event,
    KfMediaMessage,
    KfRecalled,
    KfServicerMessage,
    KfSessionChange,
    KfSessionChanged,
    KfSessionEntered,
    KfText,
    KfUnknownMessage,
)
from bot.ids import CustomerId, StaffId
from bot.kf.items import CustomerWrote, KfFact, StateChanged
from bot.kf.ledger import KfLedger
from bot.kf.models import EntryState, KfLedgerRow, KfState
from bot.storage.database import Database
from compliance.models import ArchivedMessageRow
from handlers import DeskContext, HandlersSettings, open_context, routers
from handlers.archiving import archive_inbound
from handlers.kf_budget import fit_to_budget
from sop import list_todos
from tests.scenarios.desk import KF, LI_NA, WANG_FANG, Desk, open_desk, words

QUESTION = "一年定期利率是多少"


@pytest.fixture
async def desk(db: Database) -> Desk:
    """The desk with everything that stands around handlers in 微信客服."""
    return await a_desk(db)


async def a_desk(db: Database, **settings: object) -> Desk:
    desk = await open_desk(db, HandlersSettings(duty_staff="rm002", **settings))
    desk.dispatcher = Dispatcher(routers, (archive_inbound, fit_to_budget))
    return desk


async def learn(desk: Desk, *facts: KfFact) -> None:
    """Enter facts as a pull would."""
    async with desk.db.transaction() as tx:
        await KfLedger().apply(tx, facts, desk.clock.now())


async def wrote(desk: Desk) -> None:
    """Let 王芳 have written just now."""
    await learn(desk, CustomerWrote(open_kfid=KF, customer_id=WANG_FANG, at=desk.clock.now()))


async def spend(desk: Desk, count: int) -> None:
    """Let so many of our messages have gone out."""
    async with desk.db.transaction() as tx:
        tx.add_all(
            KfLedgerRow(
                outbox_id=10_000 + number,
                open_kfid=KF,
                customer_id=WANG_FANG,
                state=EntryState.SENT,
                spent_at=desk.clock.now(),
            )
            for number in range(count)
        )


async def tap(desk: Desk, menu_id: str, text: str) -> Sequence[Reply]:
    event = KfText(
        fields={}, occurred_at=None, open_kfid=KF, customer_id=WANG_FANG, text=text, msg_id="tap-1", menu_id=menu_id
    )
    return await desk.happen(event)


def a_message(kind: type[Event] = KfMediaMessage) -> Event:
    about: dict[str, Any] = {"fields": {}, "occurred_at": None, "open_kfid": KF, "customer_id": WANG_FANG}
    if kind is KfUnknownMessage:
        return KfUnknownMessage(kind="kf.hologram", msg_type="hologram", msg_id="m-1", **about)
    return KfMediaMessage(msg_type="image", media_id="x", msg_id="m-1", **about)


# -- menus


async def test_the_welcome_offers_a_person_and_the_banks_scripts_until_the_code_dies(db: Database) -> None:
    desk = await a_desk(db, kf_menu=("S-0003", "S-9999"))
    (reply,) = await desk.enter_kf("code-1")
    assert reply.to == KfWelcome("code-1", KF, WANG_FANG)
    assert isinstance(reply.content, Menu)
    assert [item.id for item in reply.content.items] == ["script:S-0003", "human"]
    assert reply.expires_at == desk.clock.now() + timedelta(seconds=20)


async def test_an_unsure_question_becomes_a_menu_and_a_tap_answers(desk: Desk) -> None:
    (listed,) = await desk.ask_kf("定期")
    assert isinstance(listed.content, Menu)
    chosen = listed.content.items[1]
    (answer,) = await tap(desk, chosen.id, chosen.text)
    assert f"script:{answer.evidence['script']}" == chosen.id


async def test_a_number_that_is_typed_works_as_well(desk: Desk) -> None:
    (listed,) = await desk.ask_kf("定期")
    assert isinstance(listed.content, Menu)
    (answer,) = await desk.ask_kf("第2个")
    assert f"script:{answer.evidence['script']}" == listed.content.items[1].id


async def test_a_tap_on_a_script_that_is_gone_is_not_guessed(desk: Desk) -> None:
    assert "已失效" in words(await tap(desk, "script:S-9999", "大额存单"))


async def test_a_tap_on_the_person_brings_one(desk: Desk) -> None:
    said, transfer = await tap(desk, "human", "随便什么字")
    assert "客户经理" in said.content.plain_text()
    assert transfer.to == KfHandOver(KF, WANG_FANG, LI_NA)


# -- whose turn it is


@pytest.mark.parametrize("state", [KfState.POOL, KfState.HUMAN])
async def test_while_a_person_has_the_session_the_bot_keeps_quiet_and_archives(desk: Desk, state: KfState) -> None:
    await wrote(desk)
    assert await desk.ask_kf(QUESTION) != []
    at = desk.clock.now()
    await learn(desk, StateChanged(open_kfid=KF, customer_id=WANG_FANG, at=at, state=state, servicer="rm001"))
    assert await desk.ask_kf(QUESTION) == []
    assert await desk.ask_kf("我的银行卡丢了") == []
    for kind in (KfMediaMessage, KfUnknownMessage):
        assert await desk.happen(a_message(kind)) == []
    assert desk.step("decision")["reason"] == "servicer"
    assert len(await archived(desk)) == 4, "the two pictures have one id"


async def test_after_the_person_has_ended_it_the_bot_answers_again(desk: Desk) -> None:
    await wrote(desk)
    at = desk.clock.now()
    about: dict[str, Any] = {"open_kfid": KF, "customer_id": WANG_FANG}
    await learn(desk, StateChanged(at=at, state=KfState.HUMAN, servicer="rm001", **about))
    await learn(desk, StateChanged(at=at, state=KfState.ENDED, servicer=None, **about))
    await wrote(desk)
    assert len(await desk.ask_kf(QUESTION)) == 1


async def test_a_change_of_hands_is_noted_and_needs_no_words(desk: Desk) -> None:
    event = KfSessionChanged(
        fields={},
        occurred_at=None,
        open_kfid=KF,
        customer_id=WANG_FANG,
        change_type=KfSessionChange.ACCEPTED,
        new_servicer=StaffId("rm001"),
    )
    assert await desk.happen(event) == []
    assert desk.step("kf_session")["servicer"] == "rm001"


async def archived(desk: Desk) -> list[ArchivedMessageRow]:
    async with desk.db.reading() as tx:
        return list((await tx.exec(select(ArchivedMessageRow).order_by(ArchivedMessageRow.id))).all())  # type: ignore[arg-type]  # a column


async def test_what_a_servicer_writes_is_archived_as_the_members_and_a_recall_is_kept(desk: Desk) -> None:
    about: dict[str, Any] = {"fields": {}, "occurred_at": desk.clock.now(), "open_kfid": KF, "customer_id": WANG_FANG}
    said = KfServicerMessage(servicer_id=LI_NA, msg_type="text", msg_id="s-1", text="您好我来解答", **about)
    assert await desk.happen(said) == []
    recalled = KfRecalled(recalled_msg_id="s-1", by_servicer=True, servicer_id=LI_NA, **about)
    assert await desk.happen(recalled) == []
    message, _ = await archived(desk)
    assert (message.sender_id, message.text) == (LI_NA, "您好我来解答")
    assert message.revoked_at is not None


# -- what may still be said


async def test_an_answer_that_fits_is_given(desk: Desk) -> None:
    await wrote(desk)
    await spend(desk, 4)
    (answer,) = await desk.ask_kf(QUESTION)
    assert answer.evidence["script"] == "S-0003"
    assert desk.step("kf_budget")["left"] == 1


async def test_where_two_are_needed_and_one_is_left_it_says_that_a_person_will_answer(desk: Desk) -> None:
    """Half an answer may lack its risk warning: it is left out as a whole."""

    async def answer_in_two(event: Event, ctx: DeskContext) -> Sequence[Reply]:
        return [Reply(KfChat(KF, WANG_FANG), Text("答" * 1000), "script_answer")]

    await wrote(desk)
    await spend(desk, 4)
    event = KfText(
        fields={}, occurred_at=None, open_kfid=KF, customer_id=WANG_FANG, text=QUESTION, msg_id="two", menu_id=None
    )
    async with desk.db.transaction() as tx:
        ctx = await open_context(desk.services, tx, 1, event, desk.clock.now())
        (said,) = await fit_to_budget(answer_in_two, event, ctx)
    assert "统一答复" in said.content.plain_text()


async def test_with_nothing_left_the_question_becomes_the_managers(desk: Desk) -> None:
    await wrote(desk)
    await spend(desk, 5)
    assert await desk.ask_kf(QUESTION) == []
    async with desk.db.reading() as tx:
        titles = [todo.title for todo in await list_todos(tx, LI_NA, desk.clock.now().date())]
    assert any("条数已用完" in title for title in titles)


async def test_many_questions_at_once_get_five_answers_and_the_rest_a_person(desk: Desk) -> None:
    await wrote(desk)
    said = [await desk.ask_kf(QUESTION) for _ in range(7)]
    assert [len(replies) for replies in said] == [1, 1, 1, 1, 1, 0, 0]


async def test_an_urgent_matter_still_reaches_the_manager_when_nothing_may_be_said(desk: Desk) -> None:
    await wrote(desk)
    await spend(desk, 5)
    replies = await desk.ask_kf("我的银行卡丢了")
    assert [type(reply.to) for reply in replies] == [StaffChat, KfHandOver]


async def test_transfers_can_be_switched_off(db: Database) -> None:
    desk = await a_desk(db, kf_transfer=False)
    (said,) = await desk.ask_kf("转人工")
    assert "客户经理联系您" in said.content.plain_text()


async def test_a_customer_the_bank_does_not_know_is_welcomed_as_well(desk: Desk) -> None:
    event = KfSessionEntered(
        fields={}, occurred_at=None, open_kfid=KF, customer_id=CustomerId("wmNEW"), welcome_code="code-2"
    )
    (reply,) = await desk.happen(event)
    assert "96000" in reply.content.plain_text()
