"""Over real HTTP: what was changed through the API, and what a lost callback would have told, is found by the sweep."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from pydantic import SecretStr
from sqlmodel import col, func, select

from bot.clock import SystemClock
from bot.storage.database import Database
from bot.wecom.client import WeComClient
from bot.wecom.http import make_http
from bot.wecom.tokens import TokenStore
from customers import (
    CustomerGroupRow,
    CustomerRow,
    FollowRow,
    FollowState,
    StaffRow,
    list_branches,
    list_unsettled_departures,
    sync_everything,
)
from customers.models import CorpTagRow, GroupMemberRow
from simulator.app import create_app
from simulator.config import DEMO_APP_SECRET, DEMO_CORP_ID, BankSize, RetryPlan, SimConfig
from simulator.platform import Platform
from simulator.state import Department, Follow
from simulator.world import World
from tests.running import running


@dataclass
class Corp:
    """A simulated corp, from the inside and from ours."""

    platform: Platform
    http: httpx.AsyncClient
    client: WeComClient
    callbacks: list[str]

    @property
    def world(self) -> World:
        """The truth."""
        return self.platform.world


@pytest.fixture
async def corp() -> AsyncIterator[Corp]:
    """A corp of 4 managers, 60 customers and 6 groups, whose callbacks are counted and else swallowed."""
    callbacks: list[str] = []

    def swallow(request: httpx.Request) -> httpx.Response:
        callbacks.append(request.url.path)
        return httpx.Response(200, text="success")

    config = SimConfig(size=BankSize(4, 60, 6), retry=RetryPlan(backoff_seconds=(0.0,)))
    app = create_app(config, callback_transport=httpx.MockTransport(swallow))
    async with running(app) as url, make_http(url, 10) as http:
        tokens = TokenStore(http, SystemClock(), DEMO_CORP_ID, {"app": SecretStr(DEMO_APP_SECRET)})
        yield Corp(app.state.platform, http, WeComClient(http, tokens), callbacks)


async def pull(db: Database, corp: Corp) -> int:
    return (await sync_everything(db, corp.client, SystemClock())).changed


async def active_pairs(db: Database) -> set[tuple[str, str]]:
    async with db.reading() as tx:
        query = select(FollowRow.staff_id, FollowRow.customer_id).where(FollowRow.state == FollowState.ACTIVE)
        return set((await tx.exec(query)).all())


def living_pairs(corp: Corp) -> set[tuple[str, str]]:
    return {(row.userid, row.external_userid) for row in corp.world.follows.rows.values() if row.ended_by is None}


async def test_the_copy_is_complete_and_a_second_pull_changes_nothing(db: Database, corp: Corp) -> None:
    await pull(db, corp)
    assert await active_pairs(db) == living_pairs(corp)
    async with db.reading() as tx:
        assert set((await tx.exec(select(StaffRow.id))).all()) == set(corp.world.members.rows)
        assert {one.id for one in await list_branches(tx)} == {one.id for one in corp.world.departments.rows.values()}
        assert set((await tx.exec(select(CustomerGroupRow.id))).all()) == set(corp.world.groups.rows)
        tags = {tag.id for group in corp.world.tag_groups.rows.values() for tag in group.tags}
        assert set((await tx.exec(select(CorpTagRow.id))).all()) == tags
        people = int((await tx.exec(select(func.count()).select_from(GroupMemberRow))).one())
    assert people == sum(len(group.members) for group in corp.world.groups.rows.values())
    assert await pull(db, corp) == 0


async def test_changes_made_through_the_api_are_found(db: Database, corp: Corp) -> None:
    await pull(db, corp)
    staff_id, customer_id = min(living_pairs(corp))
    follow = corp.world.find_follow(staff_id, customer_id)
    assert follow is not None
    tag = next(
        tag.id for group in corp.world.tag_groups.rows.values() for tag in group.tags if tag.id not in follow.tag_ids
    )
    pair = {"userid": staff_id, "external_userid": customer_id}
    await corp.client.call("POST /cgi-bin/externalcontact/mark_tag", {**pair, "add_tag": [tag]})
    await corp.client.call("POST /cgi-bin/externalcontact/remark", {**pair, "remark": "改过的备注"})
    assert corp.callbacks == []
    assert await pull(db, corp) >= 1
    async with db.reading() as tx:
        row = await tx.get_one(FollowRow, (staff_id, customer_id))
    assert row.remark == "改过的备注"
    assert tag in row.tags


async def test_silent_changes_of_every_kind_are_found(db: Database, corp: Corp) -> None:
    await pull(db, corp)
    world = corp.world
    ended = min(living_pairs(corp))
    follow = world.find_follow(*ended)
    assert follow is not None
    follow.ended_by = "customer"
    new_pair = next(
        ("rm002", customer) for customer in world.customers.rows if ("rm002", customer) not in living_pairs(corp)
    )
    world.add_follow(Follow(new_pair[0], new_pair[1], int(corp.platform.clock.now())))
    dissolved, moved, shrunk = list(world.groups.rows)[:3]
    del world.groups.rows[dissolved]
    world.groups.rows[moved].owner = "rm003"
    gone_member = next(one for one in world.groups.rows[shrunk].members if one.type == 2)
    world.groups.rows[shrunk].members.remove(gone_member)
    leaver = world.members.rows["rm004"]
    del world.members.rows["rm004"]
    world.departments.put(Department(99, "新设支行", 1, 1))
    world.members.rows["rm001"].department = 99
    first_tags, second_tags = list(world.tag_groups.rows)[:2]
    world.tag_groups.rows[first_tags].tags[0].name = "C5 新名"
    del world.tag_groups.rows[second_tags]

    assert corp.callbacks == []
    await pull(db, corp)
    async with db.reading() as tx:
        ended_row = await tx.get_one(FollowRow, ended)
        groups = {row.id: row for row in (await tx.exec(select(CustomerGroupRow))).all()}
        left = await tx.get_one(GroupMemberRow, (shrunk, gone_member.userid))
        staff = {row.id: row for row in (await tx.exec(select(StaffRow))).all()}
        tags = (await tx.exec(select(CorpTagRow).where(CorpTagRow.group_id == second_tags))).all()
        renamed = (await tx.exec(select(CorpTagRow).where(CorpTagRow.name == "C5 新名"))).all()
        departures = await list_unsettled_departures(tx)
        assert {one.name for one in await list_branches(tx)} >= {"新设支行"}
    assert ended_row.state is FollowState.ENDED
    assert new_pair in await active_pairs(db)
    assert not groups[dissolved].active
    assert groups[moved].owner_id == "rm003"
    assert not left.active
    assert (staff["rm001"].branch_id, staff["rm004"].active) == (99, False)
    assert [(one.staff_id, one.branch_id) for one in departures] == [("rm004", leaver.department)]
    assert tags
    assert not any(tag.active for tag in tags)
    assert len(renamed) == 1
    assert await pull(db, corp) == 0


async def test_a_lost_callback_is_healed_by_the_next_pull(db: Database, corp: Corp) -> None:
    await pull(db, corp)
    lost = await corp.http.put("/_sim/faults", json={"faults": [], "callbacks": {"lost": 1.0}})
    assert lost.status_code == 200, lost.text
    added = await corp.http.post("/_sim/customers/add", json={"userid": "rm001", "name": "王新"})
    customer_id = added.json()["external_userid"]
    await corp.platform.callbacks.drain()
    assert corp.callbacks == []
    await pull(db, corp)
    assert ("rm001", customer_id) in await active_pairs(db)
    async with db.reading() as tx:
        names = (await tx.exec(select(CustomerRow.name).where(col(CustomerRow.id) == customer_id))).all()
    assert list(names) == ["王新"]
