"""Banks of any size: written into a state file once, and found again at every start."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from simulator.config import BankSize
from simulator.seed import Progress, seed_bank
from simulator.storage import BankNote, Journal
from simulator.world import World


class BankMismatchError(ValueError):
    """A state file belongs to another bank than the one asked for: their rows would be mixed."""


def write_bank(path: Path, seed: int, size: BankSize, tell: Progress) -> BankNote:
    """Make a bank and write it into a state file; what was in the file is gone.

    `tell` hears of "customers" and "groups" while they are made and of "rows" while they are written.
    """
    world = World(Journal(None), lambda empty: seed_bank(empty, seed, size, tell))
    digest = hashlib.sha256()
    for _, _, value in _rows(world, lambda _what, _count: None):
        digest.update(value)
    note = BankNote(seed, size.staff, size.customers, size.groups, digest.hexdigest())
    journal = Journal(str(path))
    try:
        journal.write_bank(note, _rows(world, tell))
    finally:
        journal.close()
    return note


def _rows(world: World, tell: Progress) -> Iterator[tuple[str, str, bytes]]:
    count = 0
    for shelf in world.list_shelves():
        for row in shelf.dump():
            if count % 1000 == 0:
                tell("rows", count)
            count += 1
            yield row
    tell("rows", count)


def count_rows(size: BankSize) -> int:
    """Return about how many rows a bank has, for a progress bar."""
    return size.customers * 25 // 12 + size.groups + size.staff


def find_note(path: Path) -> BankNote | None:
    """Return which bank a state file belongs to; None when there is no such file, or nothing in it yet.

    Raises:
        BankMismatchError: the file is no state file.
    """
    if not path.exists():
        return None
    try:
        journal = Journal(str(path))
    except sqlite3.DatabaseError as error:
        raise BankMismatchError(f"{path} is not a state file of the simulator") from error
    try:
        return journal.find_bank() or journal.find_start()
    finally:
        journal.close()


def check_bank(journal: Journal, seed: int, size: BankSize) -> None:
    """Remember the bank that a state file starts with; refuse to lay its rows over another one.

    A bank that was written into the file needs no check: it is the bank, whatever was asked for.

    Raises:
        BankMismatchError: the file started with another seed or size.
    """
    if journal.find_bank() is not None:
        return
    asked = BankNote(seed, size.staff, size.customers, size.groups, "")
    started = journal.find_start()
    if started is None:
        journal.note_start(asked)
    elif started != asked:
        raise BankMismatchError(f"the state file was begun with {spell(started)}; asked for was {spell(asked)}")


def spell(note: BankNote) -> str:
    """Say which bank a note means."""
    return f"{note.customers} customers, {note.staff} staff, {note.groups} groups and seed {note.seed}"
