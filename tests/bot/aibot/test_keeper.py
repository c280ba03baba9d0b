"""Answers the platform never came for: said through the response_url, once."""

import pytest

from bot.aibot.keeper import StreamKeeper
from bot.aibot.states import StreamState
from bot.aibot.streams import GRACE, LIFE, stream_id_of
from bot.context import BotChat, Markdown, Reply
from bot.errors import PlatformError, PlatformUnavailable, RecipientUnavailable
from bot.outbox.store import enqueue_reply
from bot.storage.database import Database
from bot.wecom.bot_message import BotMessage
from tests.bot.aibot.rig import Rig, a_message, a_refresh

OVER = (LIFE + GRACE).total_seconds() + 1


class Url:
    """A response_url: fails as planned, else works."""

    def __init__(self, *plan: PlatformError) -> None:
        self.plan = list(plan)
        self.said: list[str] = []
        self.in_doubt: list[bool] = []

    async def post(self, url: str, message: BotMessage) -> None:
        """Take one answer."""
        self.in_doubt.append(message.in_doubt)
        if self.plan:
            raise self.plan.pop(0)
        self.said.append(message.markdown)


@pytest.fixture
async def rig(db: Database) -> Rig:
    rig = Rig(db)
    await rig.desk().take(a_message(msg_id="m"))
    return rig


async def test_an_answer_nobody_fetched_is_said_once_by_any_node(rig: Rig) -> None:
    await rig.answer("m", "三年期 1.9%")
    url = Url()
    keepers = [StreamKeeper(rig.db, rig.clock, url.post) for _ in range(2)]
    assert [await keeper.run_once() for keeper in keepers] == [0, 0], "the platform may still come"
    rig.later(OVER)
    assert sum([await keeper.run_once() for keeper in keepers]) == 1
    rig.later(3600)
    assert sum([await keeper.run_once() for keeper in keepers]) == 0
    assert url.said == ["三年期 1.9%"]
    assert (await rig.stream("m")).state is StreamState.SAID_BY_URL
    assert await rig.desk().take(a_refresh(stream_id_of("m"))) is None, "a late question does not say it again"


async def test_what_was_fetched_is_left_alone(rig: Rig) -> None:
    await rig.answer("m", "三年期 1.9%")
    await rig.desk().take(a_refresh(stream_id_of("m")))
    rig.later(OVER)
    url = Url()
    await StreamKeeper(rig.db, rig.clock, url.post).run_once()
    assert url.said == []


async def test_a_lost_answer_of_the_address_is_tried_again_in_doubt(rig: Rig) -> None:
    await rig.answer("m", "三年期 1.9%")
    url = Url(PlatformUnavailable("url", maybe_done=True))
    keeper = StreamKeeper(rig.db, rig.clock, url.post)
    rig.later(OVER)
    await keeper.run_once()
    assert (await rig.stream("m")).state is StreamState.BY_URL
    assert await keeper.run_once() == 0, "another node must not take it at once"
    rig.later(61)
    await keeper.run_once()
    assert url.in_doubt == [False, True]
    assert (await rig.stream("m")).state is StreamState.SAID_BY_URL


async def test_an_address_that_cannot_be_reached_is_tried_again_without_doubt(rig: Rig) -> None:
    await rig.answer("m", "三年期 1.9%")
    url = Url(PlatformUnavailable("url"))
    keeper = StreamKeeper(rig.db, rig.clock, url.post)
    rig.later(OVER)
    await keeper.run_once()
    rig.later(11)
    await keeper.run_once()
    assert (url.in_doubt, url.said) == ([False, False], ["三年期 1.9%"])


async def test_when_the_address_is_closed_too_the_reply_has_failed_and_is_seen(rig: Rig) -> None:
    async with rig.db.transaction() as tx:
        reply = Reply(BotChat(None, "rm001", "https://example.com/r", "m"), Markdown("三年期 1.9%"), "test")
        row = await enqueue_reply(tx, reply, rig.compliance, rig.clock.now())
        row.platform_msgid = stream_id_of("m")
    await rig.answer("m", "三年期 1.9%")
    rig.later(OVER)
    await StreamKeeper(rig.db, rig.clock, Url(RecipientUnavailable("url", 846604)).post).run_once()
    assert (await rig.stream("m")).state is StreamState.LOST
    assert await rig.outbox() == [("failed", "三年期 1.9%")]


async def test_what_nobody_can_ask_for_any_more_is_forgotten(rig: Rig) -> None:
    await rig.answer("m", "三年期 1.9%")
    keeper = StreamKeeper(rig.db, rig.clock, Url().post)
    rig.later(47 * 3600)
    assert await keeper.forget_old() == 0
    rig.later(2 * 3600)
    assert await keeper.forget_old() == 1
    assert await keeper.forget_old() == 0
