"""What the platform allows is said on a page of its own, and beside the pages it matters for."""

from tests.console.world import World


async def test_channel_limits_are_shown_to_everybody_signed_in(world: World) -> None:
    for who in ("rm001", "co001", "ad001"):
        page = await (await world.login(who)).get("/channels")
        assert page.status_code == 200
        assert "微信客服" in page.text
        assert "不能自动回复，也不能替成员发言" in page.text


async def test_limit_stands_beside_groups_and_broadcasts(world: World) -> None:
    groups = (await (await world.login("ad001")).get("/groups")).text
    assert "群发要群主确认后才发出" in groups
    assert "/channels#group" in groups
    broadcasts = (await (await world.login("rm001")).get("/broadcasts")).text
    assert "本人确认前客户什么都收不到" in broadcasts


async def test_channel_limits_need_a_login(world: World) -> None:
    answer = await world.client().get("/channels", follow_redirects=False)
    assert answer.status_code in (302, 303)
