"""What an administrator must mend is one open alert, however often it is seen; told once a day; over when it works."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.administrators import say_alert, tell_administrators
from bot.alerts.models import AlertKind
from bot.alerts.store import Trouble, do_raise_alert, do_resolve_alert, do_resolve_by_id, list_open_alerts
from bot.alerts.watch import trouble_of
from bot.clock import FrozenClock
from bot.errors import NotFound, PlatformError, PlatformMisconfigured, RateLimited, RecipientUnavailable
from bot.outbox.store import list_rows
from bot.settings import AlertSettings
from bot.storage.database import Database
from bot.texts import load_texts
from bot.wecom.reasons import explain, explain_error
from tests.bot.nodes import Nodes, some_nodes
from tests.bot.pipeline import NOW, WordGate

AGENTS = "GET /cgi-bin/agent/list"
TAGS = Trouble(AlertKind.CONFIGURATION, "app GET /x", "app", "GET /x", 48002)
BOSS = AlertSettings(admin_staff=("boss", "deputy"))


@pytest.fixture
async def nodes(db: Database) -> AsyncIterator[Nodes]:
    """A platform and no node yet."""
    async with some_nodes(db) as made:
        yield made


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PlatformMisconfigured(AGENTS, 48002), AlertKind.CONFIGURATION),
        (PlatformMisconfigured(AGENTS, 60020), AlertKind.CONFIGURATION),
        (PlatformMisconfigured(AGENTS, 48011), AlertKind.LOW_ACTIVITY),
        (PlatformMisconfigured(AGENTS, 45036), AlertKind.RISK),
        (PlatformMisconfigured(AGENTS, 701008), AlertKind.LICENCE),
        (PlatformMisconfigured("GET /cgi-bin/gettoken", 40001), AlertKind.SECRET),
        (RecipientUnavailable(AGENTS, 84061), None),
        (RateLimited(AGENTS, 45009), None),
        (PlatformError(AGENTS, 40058), None),
    ],
)
def test_only_what_an_administrator_can_mend_is_an_alert(error: PlatformError, kind: AlertKind | None) -> None:
    trouble = trouble_of(AGENTS, "app", error)
    assert (trouble.kind if trouble else None) == kind


def test_the_address_the_platform_saw_is_kept_and_nothing_else_of_its_words() -> None:
    words = "not allow to access from your ip, hint: [1], from ip: 203.0.113.7, more info at https://x"
    trouble = trouble_of(AGENTS, "app", PlatformMisconfigured(AGENTS, 60020, words))
    assert trouble is not None
    assert trouble.detail == "ip 203.0.113.7"


async def test_the_same_trouble_again_is_counted_and_another_one_is_not(db: Database) -> None:
    async with db.transaction() as tx:
        await do_raise_alert(tx, TAGS, NOW)
        await do_raise_alert(tx, TAGS, NOW + timedelta(minutes=1), count=3)
        await do_raise_alert(tx, Trouble(AlertKind.RISK, "app", "app", errcode=45036), NOW)
    async with db.reading() as tx:
        alerts = await list_open_alerts(tx)
    assert [(alert.kind, alert.count) for alert in alerts] == [(AlertKind.CONFIGURATION, 4), (AlertKind.RISK, 1)]
    assert alerts[0].last_at - alerts[0].first_at == timedelta(minutes=1)


async def test_two_nodes_at_once_open_one_alert(db: Database) -> None:
    async def raise_it() -> None:
        async with db.transaction() as tx:
            await do_raise_alert(tx, TAGS, NOW)

    await asyncio.gather(*(raise_it() for _ in range(6)))
    async with db.reading() as tx:
        (alert,) = await list_open_alerts(tx)
    assert alert.count == 6


async def test_after_it_was_resolved_it_opens_anew(db: Database) -> None:
    async with db.transaction() as tx:
        first = await do_raise_alert(tx, TAGS, NOW)
        assert await do_resolve_alert(tx, TAGS.kind, TAGS.subject, NOW, "success") == 1
        again = await do_raise_alert(tx, TAGS, NOW)
        assert again.id != first.id
        await do_resolve_by_id(tx, again.id or 0, NOW, "li")
        with pytest.raises(NotFound):
            await do_resolve_by_id(tx, again.id or 0, NOW, "li")


async def test_a_refused_call_opens_an_alert_and_the_next_success_ends_it(nodes: Nodes) -> None:
    node = nodes.add("first")
    await nodes.break_it(api=AGENTS, kind="errcode", errcode=48002, count=3)
    for _ in range(3):
        with pytest.raises(PlatformMisconfigured):
            await node.client.call(AGENTS)
    async with nodes.db.reading() as tx:
        (alert,) = await list_open_alerts(tx)
    assert (alert.subject, alert.errcode) == (f"app {AGENTS}", 48002)
    await node.client.call("GET /cgi-bin/department/simplelist")
    async with nodes.db.reading() as tx:
        assert await list_open_alerts(tx), "another call's success proves nothing"
    await node.client.call(AGENTS)
    async with nodes.db.reading() as tx:
        assert await list_open_alerts(tx) == []


async def test_an_anomaly_stays_until_a_person_has_looked(nodes: Nodes) -> None:
    node = nodes.add("first")
    await nodes.break_it(api=AGENTS, kind="errcode", errcode=45036, count=1)
    with pytest.raises(PlatformMisconfigured):
        await node.client.call(AGENTS)
    await node.client.call(AGENTS)
    async with nodes.db.reading() as tx:
        assert [alert.kind for alert in await list_open_alerts(tx)] == [AlertKind.RISK]


async def _open(db: Database, trouble: Trouble) -> None:
    async with db.transaction() as tx:
        await do_raise_alert(tx, trouble, NOW)


async def test_administrators_are_told_once_a_day(db: Database) -> None:
    clock = FrozenClock(NOW)
    await _open(db, TAGS)
    assert await tell_administrators(db, WordGate(), clock, BOSS) == 2
    assert await tell_administrators(db, WordGate(), clock, BOSS) == 0
    async with db.reading() as tx:
        rows = await list_rows(tx, None, 10)
    assert {row.recipient for row in rows} == {"app:boss", "app:deputy"}
    assert "48002" in rows[0].text
    clock.advance(timedelta(days=1))
    assert await tell_administrators(db, WordGate(), clock, BOSS) == 2


async def test_without_administrators_nobody_is_told(db: Database) -> None:
    await _open(db, TAGS)
    assert await tell_administrators(db, WordGate(), FrozenClock(NOW), AlertSettings()) == 0


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(AlertKind.SECRET, "app", "app", "GET /cgi-bin/gettoken", 40001),
        Trouble(AlertKind.CONFIGURATION, "x", "app", "POST /cgi-bin/message/send", 60011),
    ],
)
async def test_nobody_is_told_by_message_that_messages_fail(db: Database, trouble: Trouble) -> None:
    await _open(db, trouble)
    assert await tell_administrators(db, WordGate(), FrozenClock(NOW), BOSS) == 0


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", AlertKind)
@pytest.mark.parametrize("errcode", [None, 48011])
async def test_every_alert_can_be_said(db: Database, kind: AlertKind, language: str, errcode: int | None) -> None:
    if kind in (AlertKind.SECRET, AlertKind.CONFIGURATION) and errcode is None:
        return  # these come from answers only, which have a code
    async with db.transaction() as tx:
        alert = await do_raise_alert(tx, Trouble(kind, "app", "app", errcode=errcode), NOW)
    assert "app" in say_alert(alert, NOW, language)


@pytest.mark.parametrize("package", ["bot.alerts", "bot.wecom"])
def test_both_catalogues_say_the_same_things(package: str) -> None:
    assert load_texts(package, "zh").keys() == load_texts(package, "en").keys()


def test_a_code_has_words_of_its_own_or_its_classs() -> None:
    assert "可信" in explain(60020).advice
    assert explain(41046) == explain(44004), "two of the class config without words of their own"
    assert explain(123456789) == explain(40066)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("expired", "有效时间"),
        ("part_failed", "前一段"),
        ("platform.recipient 84061", "不是好友"),
        ("unreachable 81013", "暂停"),
        ("something else", "something else"),
    ],
)
def test_an_outbox_error_is_explained(error: str, words: str) -> None:
    assert words in explain_error(error).what
