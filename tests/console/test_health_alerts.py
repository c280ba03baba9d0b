"""Open alerts stand on the health page: what the code means and what to do, in the reader's language."""

import pytest

from bot.alerts.models import AlertKind
from bot.alerts.store import Trouble, do_raise_alert, do_resolve_alert
from bot.errors import RecipientUnavailable
from bot.outbox.unreachable import do_mark_unreachable
from tests.console.world import World

TROUBLE = Trouble(AlertKind.CONFIGURATION, "app GET /x", "app", "GET /x", 60020, "ip 203.0.113.7")


@pytest.mark.parametrize(
    ("language", "advice"), [("zh", "在管理后台给应用填写「企业可信IP」"), ("en", "Enter it under 企业可信IP")]
)
async def test_an_alert_is_shown_until_it_is_over(world: World, language: str, advice: str) -> None:
    client = await world.login("ad001")
    now = world.clock.now()
    async with world.db.transaction() as tx:
        await do_raise_alert(tx, TROUBLE, now)
    page = (await client.get("/health", params={"lang": language})).text
    assert "203.0.113.7" in page
    assert advice in page
    assert "60020" in page
    async with world.db.transaction() as tx:
        await do_resolve_alert(tx, TROUBLE.kind, TROUBLE.subject, now, "success")
    assert "203.0.113.7" not in (await client.get("/health")).text


async def test_people_who_are_left_alone_are_counted(world: World) -> None:
    client = await world.login("ad001")
    error = RecipientUnavailable("POST /cgi-bin/message/send", 81013, "invaliduser")
    async with world.db.transaction() as tx:
        await do_mark_unreachable(tx, "app:gone", error, world.clock.now(), days=7)
    assert "暂停发送的收件人 1 位" in (await client.get("/health")).text
