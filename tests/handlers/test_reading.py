"""Small readings of a request: the draft to check, the name asked about; and the honest line after a failure."""

from datetime import UTC, datetime

import pytest

from bot.context import BotChat, KfChat, StaffChat
from bot.events import BotMention, CustomerChatText, Event, KfText, StaffTextMessage
from bot.ids import CustomerId, StaffId
from bot.outbox.models import OutboxRow, OutboxState
from handlers import apology_for
from handlers.customer_cards import name_asked
from handlers.drafts import extract_draft


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("帮我看看这段话能不能发：保本保息，放心买", "保本保息，放心买"),
        ("检查下合规:本产品稳赚", "本产品稳赚"),
        ("“历史业绩不代表未来表现”这样写够不够", "历史业绩不代表未来表现"),
        ("审一下草稿 王姐，这款随时可取绝不亏", "王姐，这款随时可取绝不亏"),
        ("帮我看看这段话能不能发", None),
    ],
)
def test_draft_is_cut_out_of_the_request(text: str, draft: str | None) -> None:
    assert extract_draft(text) == draft


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("王芳的资料", "王芳"),
        ("查一下刘洋", "刘洋"),
        ("看看陈总的画像", "陈总"),
        ("客户卡片 欧阳娜", "欧阳娜"),
        ("查客户", None),
    ],
)
def test_name_is_cut_out_of_the_question(text: str, name: str | None) -> None:
    assert name_asked(text) == name


def staff_message() -> StaffTextMessage:
    return StaffTextMessage(fields={}, occurred_at=None, staff_id=StaffId("rm001"), msg_id="1", text="x")


def kf_message() -> KfText:
    return KfText(
        fields={}, occurred_at=None, open_kfid="wk1", customer_id=CustomerId("wm1"), text="x", msg_id="1", menu_id=None
    )


def mention() -> BotMention:
    return BotMention(
        fields={}, occurred_at=None, speaker="wm1", chat_id=None, text="x", response_url="https://e.test", msg_id="1"
    )


def archived_words() -> CustomerChatText:
    return CustomerChatText(
        fields={}, occurred_at=None, chat_id=None, customer_id=CustomerId("wm1"), staff_id=None, text="x", msg_id="1"
    )


@pytest.mark.parametrize(
    ("event", "address"), [(staff_message(), StaffChat), (kf_message(), KfChat), (mention(), BotChat)]
)
def test_person_who_waits_gets_an_honest_line(event: Event, address: type[object]) -> None:
    (reply,) = apology_for(event)
    assert isinstance(reply.to, address)
    assert reply.content.plain_text().startswith("抱歉")


def test_nobody_is_told_where_nobody_waits() -> None:
    assert apology_for(archived_words()) == ()


def test_blocked_reply_names_the_words_to_a_member_only() -> None:
    row = OutboxRow(
        id=1,
        state=OutboxState.BLOCKED,
        recipient="app:rm001",
        address_kind="StaffChat",
        address={},
        content_kind="Text",
        content={},
        text="",
        purpose="script_answer",
        evidence={},
        findings=[{"term": "保本保息"}],
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    assert "「保本保息」" in apology_for(staff_message(), row)[0].content.plain_text()
    assert "保本保息" not in apology_for(kf_message(), row)[0].content.plain_text()
