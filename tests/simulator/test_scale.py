"""Banks of any size: written once, the same for the same seed, and no call looks through the whole world."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulator import BankSize, SimConfig, create_app
from simulator.bank import BankMismatchError, count_rows, find_note, write_bank
from simulator.cli import cli
from simulator.platform import Platform
from simulator.seed import seed_bank
from simulator.seed_names import BRANCHES, name_branches
from simulator.storage import Index, Journal, Shelf
from simulator.world import World
from tests.simulator.harness import Sim, close_sim, new_sim

SIZE = BankSize(100, 3000, 200)


def a_platform(config: SimConfig) -> Platform:
    platform = create_app(config).state.platform
    assert isinstance(platform, Platform)
    return platform


def test_written_bank_is_the_one_the_seed_makes(tmp_path: Path) -> None:
    heard: dict[str, int] = {}
    file = tmp_path / "bank.db"
    note = write_bank(file, 7, SIZE, heard.__setitem__)
    assert (heard["customers"], heard["groups"]) == (3000, 200)
    assert 0.9 < heard["rows"] / count_rows(SIZE) < 1.1
    loaded = a_platform(SimConfig(state_file=str(file))).world
    made = World(Journal(None), lambda world: seed_bank(world, 7, SIZE))
    for ours, theirs in zip(loaded.list_shelves(), made.list_shelves(), strict=True):
        assert ours.rows == theirs.rows, ours.name
        assert list(ours.rows) == list(theirs.rows), ours.name
    again = write_bank(tmp_path / "again.db", 7, SIZE, lambda _what, _count: None)
    assert again == note
    assert write_bank(tmp_path / "other.db", 8, SIZE, lambda _what, _count: None).digest != note.digest


async def test_changes_and_reset_of_a_written_bank(tmp_path: Path, config: SimConfig) -> None:
    file = tmp_path / "bank.db"
    write_bank(file, 1, BankSize(2, 12, 2), lambda _what, _count: None)
    kept = replace(config, state_file=str(file))
    sim = new_sim(kept)
    added = await sim.do("customers/add", {"userid": "rm001"})
    gone = sim.first_group
    sim.platform.world.groups.remove(gone)
    await close_sim(sim)
    sim = new_sim(kept)
    assert added["external_userid"] in sim.platform.world.customers.rows
    assert gone not in sim.platform.world.groups.rows
    await sim.do("reset")
    assert len(sim.platform.world.customers.rows) == 12
    assert sim.first_group == gone
    await close_sim(sim)


def test_half_written_bank_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "bank.db"
    note = write_bank(file, 1, BankSize(2, 12, 2), lambda _what, _count: None)

    def stop(what: str, _count: int) -> None:
        if what == "rows":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bank(file, 2, BankSize(2, 12, 2), stop)

    def broken() -> Iterator[tuple[str, str, bytes]]:
        yield "member", "rm999", b"{}"
        raise KeyboardInterrupt

    journal = Journal(str(file))
    with pytest.raises(KeyboardInterrupt):
        journal.write_bank(replace(note, seed=3), broken())
    journal.close()
    assert find_note(file) == note
    assert len(a_platform(SimConfig(state_file=str(file))).world.customers.rows) == 12


def test_state_file_is_not_laid_over_another_bank(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    assert find_note(file) is None
    config = SimConfig(size=BankSize(2, 12, 2), state_file=str(file))
    a_platform(config)
    found = find_note(file)
    assert found is not None
    assert (found.customers, found.digest) == (12, "")
    a_platform(config)
    with pytest.raises(BankMismatchError, match="12 customers"):
        a_platform(replace(config, size=BankSize(2, 13, 2)))
    with pytest.raises(BankMismatchError, match="seed"):
        a_platform(replace(config, seed=5))
    refused = CliRunner().invoke(cli, ["--state-file", str(file), "--customers", "13"])
    assert refused.exit_code == 2
    assert "12 customers" in refused.output


def test_small_banks_have_six_branches_and_large_ones_as_many_as_they_need() -> None:
    assert [name for name, _ in name_branches(30)] == list(BRANCHES)
    large = name_branches(5000)
    assert len(large) == 5000 // 12
    assert len({name for name, _ in large}) == len(large)


async def test_groups_follow_their_owner(sim: Sim) -> None:
    world = sim.platform.world
    group = world.groups.rows[sim.first_group]
    before = len(world.list_groups_owned_by("rm002"))
    group.owner = "rm002"
    world.groups.put(group)
    assert group not in world.list_groups_owned_by("rm001")
    assert len(world.list_groups_owned_by("rm002")) == before + 1
    world.groups.remove(group.chat_id)
    assert len(world.list_groups_owned_by("rm002")) == before


@dataclass(slots=True)
class Row:
    """A row with names."""

    key: str
    names: list[str]


def test_index_follows_every_change_of_a_row() -> None:
    shelf = Shelf("row", Row, lambda row: row.key, Journal(None))
    row = shelf.put(Row("1", ["a", "b"]))
    index: Index[Row] = shelf.index(lambda row: row.names)
    shelf.put(Row("2", ["b"]))
    assert [found.key for found in index.list("b")] == ["1", "2"]
    row.names = ["b", "c"]
    shelf.put(row)
    assert list(index.list("a")) == []
    assert [found.key for found in index.list("b")] == ["1", "2"]
    assert list(index.list("c")) == [row]
    shelf.restore("2", b'{"key": "2", "names": ["d"]}')
    assert [found.key for found in index.list("d")] == ["2"]
    shelf.restore("2", b"")
    shelf.remove("1")
    shelf.remove("1")
    assert [list(index.list(name)) for name in "abcd"] == [[], [], [], []]


async def test_pages_of_a_large_bank_hold_everything_once(config: SimConfig) -> None:
    sim = new_sim(replace(config, size=SIZE))
    name = "POST /cgi-bin/externalcontact/batch/get_by_user"
    users = [f"rm{number:03d}" for number in range(1, 101)]
    met, cursor = [], ""
    while True:
        page = await sim.api(name, {"userid_list": users, "cursor": cursor, "limit": 100})
        met += [
            (row["follow_info"]["userid"], row["external_contact"]["external_userid"])
            for row in page["external_contact_list"]
        ]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(met) == len(set(met)) == len(sim.platform.world.follows.rows)
    people = await sim.see("people", q="王芳", limit="2")
    assert people["customers"][0]["name"] == "王芳"
    await close_sim(sim)
