"""Lists page by themselves: to the end, over empty pages, and never for ever."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import PlatformError
from bot.ids import CustomerId, StaffId
from bot.wecom import contacts, groupsend
from bot.wecom.api import customers, kf, kf_knowledge, kf_messages, statistics, transfer
from bot.wecom.api.calls import PagesDoNotMove
from tests.bot.api.scripted import ScriptedPlatform

LI, WANG = StaffId("li"), StaffId("wang")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def figures(owner: str) -> dict[str, Any]:
    return {"owner": owner, "data": {}}


async def test_cursor_is_passed_on_until_it_is_empty() -> None:
    page = {"customer": [{"external_userid": "wm1", "status": 1, "takeover_time": 5}], "next_cursor": "c1"}
    last = {"customer": [{"external_userid": "wm2", "status": 9}], "next_cursor": ""}
    platform = ScriptedPlatform(page, last)
    results = [result async for result in transfer.iter_transfer_results(platform, LI, WANG)]
    assert [result.customer_id for result in results] == [CustomerId("wm1"), CustomerId("wm2")]
    assert results[1].status is transfer.TransferStatus.UNKNOWN
    assert [body.get("cursor") for body in platform.bodies] == [None, "c1"]


async def test_has_more_decides_although_a_page_is_empty() -> None:
    group = {"group_id": "g1", "name": "存款", "is_default": 1}
    platform = ScriptedPlatform(
        {"group_list": [], "has_more": 1, "next_cursor": "c1"},
        {"group_list": [group], "has_more": 0, "next_cursor": "c2"},
    )
    groups = [found async for found in kf_knowledge.iter_knowledge_groups(platform)]
    assert groups == [kf_knowledge.KnowledgeGroup("g1", "存款", True)]
    assert platform.apps == {"app"}


async def test_is_last_ends_the_list_although_there_is_a_cursor() -> None:
    platform = ScriptedPlatform({"info": [], "is_last": True, "next_cursor": "c1"})
    assert [found async for found in transfer.iter_unassigned(platform)] == []


async def test_offset_goes_on_while_pages_are_full() -> None:
    account = {"open_kfid": "wk1", "name": "示例", "avatar": "", "manage_privilege": True}
    platform = ScriptedPlatform({"account_list": [account] * kf.ACCOUNT_PAGE}, {"account_list": [account]})
    assert len([found async for found in kf.iter_accounts(platform)]) == kf.ACCOUNT_PAGE + 1
    assert [body["offset"] for body in platform.bodies] == [0, kf.ACCOUNT_PAGE]


async def test_next_offset_is_followed_up_to_the_total() -> None:
    platform = ScriptedPlatform(
        {"items": [figures("li")], "total": 2, "next_offset": 1},
        {"items": [figures("wang")], "total": 2, "next_offset": 2},
    )
    question = statistics.GroupQuestion(since=MONDAY, owners=(LI, WANG))
    found = [owner.owner async for owner in statistics.iter_group_figures_by_owner(platform, question)]
    assert found == [LI, WANG]


@pytest.mark.parametrize(
    "answers",
    [
        ({"info_list": [], "next_cursor": "c1"}, {"info_list": [], "next_cursor": "c1"}),
        ({"info_list": [], "has_more": 1, "next_cursor": ""},),
    ],
    ids=["the same cursor", "no cursor"],
)
async def test_cursor_that_does_not_move_is_an_error_not_an_endless_list(
    answers: tuple[Mapping[str, Any], ...],
) -> None:
    with pytest.raises(PagesDoNotMove):
        async for _ in customers.iter_served_contacts(ScriptedPlatform(*answers)):
            pass


async def test_stored_cursor_that_does_not_move_is_an_error_too() -> None:
    platform = ScriptedPlatform({"external_contact_list": [], "next_cursor": "c1"})
    with pytest.raises(PagesDoNotMove):
        await contacts.get_customer_page(platform, [LI], "c1")
    with pytest.raises(PagesDoNotMove):
        await kf_messages.pull_messages(
            ScriptedPlatform({"msg_list": [], "has_more": 1, "next_cursor": "c1"}),
            kf_messages.Pull(open_kfid="wk1", cursor="c1"),
        )


async def test_next_offset_that_does_not_move_is_an_error() -> None:
    platform = ScriptedPlatform(
        {"items": [], "total": 9, "next_offset": 1},
        {"items": [], "total": 9, "next_offset": 1},
    )
    question = statistics.GroupQuestion(since=MONDAY, owners=(LI,))
    with pytest.raises(PagesDoNotMove):
        async for _ in statistics.iter_group_figures_by_owner(platform, question):
            pass


async def test_the_last_page_of_a_pull_still_says_where_to_go_on() -> None:
    platform = ScriptedPlatform({"msg_list": [{"msgid": "m1"}], "has_more": 0, "next_cursor": "c9"})
    page = await kf_messages.pull_messages(platform, kf_messages.Pull(open_kfid="wk1", token="t"))
    assert (page.has_more, page.next_cursor) == (False, "c9")
    assert page.items == ({"msgid": "m1"},)


async def test_reminding_too_often_is_said_and_cancelling_twice_is_no_error() -> None:
    too_often = PlatformError(groupsend.REMIND, groupsend.REMINDED_TOO_OFTEN)
    assert await groupsend.remind_members(ScriptedPlatform(too_often), "msg1") is False
    assert await groupsend.remind_members(ScriptedPlatform({}), "msg1") is True
    await groupsend.cancel_task(ScriptedPlatform(PlatformError(groupsend.CANCEL, groupsend.ALREADY_CANCELLED)), "msg1")
    with pytest.raises(PlatformError):
        await groupsend.cancel_task(ScriptedPlatform(PlatformError(groupsend.CANCEL, 40003)), "msg1")
