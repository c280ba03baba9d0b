"""The life of a script: drafted by one person, approved by another, superseded by the next version, or withdrawn.

Every version is kept. `MOVES` is the whole table of allowed changes of state.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import col, select

from bot.audit import record
from bot.clock import CHINA
from bot.errors import Conflict, Forbidden, NotFound
from bot.storage.database import Tx
from knowledge_base.errors import ScriptInvalid
from knowledge_base.models import LibraryVersionRow, ScriptRow, ScriptVersionRow
from knowledge_base.rendering import CALLER_VARIABLES, SHELF_VARIABLES, variables_of
from knowledge_base.tokens import fold
from knowledge_base.values import Audience, ScriptState

MOVES: Final[Mapping[ScriptState, frozenset[ScriptState]]] = {
    ScriptState.DRAFT: frozenset({ScriptState.APPROVED, ScriptState.WITHDRAWN}),
    ScriptState.APPROVED: frozenset({ScriptState.SUPERSEDED, ScriptState.WITHDRAWN}),
    ScriptState.SUPERSEDED: frozenset(),
    ScriptState.WITHDRAWN: frozenset(),
}
LONGEST_ANSWER: Final = 400
_SCRIPT_ID = re.compile(r"S-[0-9]{4,8}")


@dataclass(frozen=True, slots=True)
class ScriptDraft:
    """What an author hands in. `script_id` names the script to write a new version of, or a new script."""

    script_id: str
    category: str
    title: str
    question: str
    variants: tuple[str, ...]
    answer: str
    audience: Audience
    source: str
    effective_on: date
    expires_on: date | None = None
    product_code: str | None = None
    risk_note: str | None = None


def list_problems(draft: ScriptDraft) -> tuple[str, ...]:
    """List what is wrong with a draft, as stable words, one for each rule; empty when it may be stored. Pure."""
    names = set(variables_of(draft.answer))
    checks = {
        "id": _SCRIPT_ID.fullmatch(draft.script_id) is not None,
        "category": bool(draft.category.strip()),
        "title": bool(draft.title.strip()),
        "question": bool(fold(draft.question)),
        "answer_empty": bool(draft.answer.strip()),
        "answer_long": len(draft.answer) <= LONGEST_ANSWER,
        "variable": names <= SHELF_VARIABLES | CALLER_VARIABLES,
        "product": draft.product_code is not None or not names & SHELF_VARIABLES,
        "validity": draft.expires_on is None or draft.effective_on <= draft.expires_on,
        "source": bool(draft.source.strip()),
    }
    return tuple(key for key, fine in checks.items() if not fine)


async def do_draft(tx: Tx, actor: str, draft: ScriptDraft, now: datetime) -> int:
    """Store a draft as the script's next version and return its number. Does not touch the version in force.

    Raises:
        ScriptInvalid: the draft breaks a rule of the library.
    """
    problems = list_problems(draft)
    if problems:
        raise ScriptInvalid(problems)
    script = await _lock(tx, draft.script_id)
    version = script.latest_version + 1 if script else 1
    if script is None:
        script = ScriptRow(
            id=draft.script_id,
            category=draft.category,
            title=draft.title,
            state=ScriptState.DRAFT,
            latest_version=version,
            search_text="",
            created_at=now,
            updated_at=now,
        )
    script.latest_version = version
    script.search_text = search_text(draft)
    script.updated_at = now
    if script.current_version is None:
        script.state, script.category, script.title = ScriptState.DRAFT, draft.category, draft.title
    tx.add(script)
    await tx.flush()
    tx.add(_version_row(draft, version, actor, now))
    await _note(tx, actor, "script.draft", draft.script_id, version, now)
    return version


async def do_approve(tx: Tx, actor: str, script_id: str, version: int, now: datetime) -> None:
    """Put a draft in force; the version that was in force becomes superseded. Locks the script's row.

    Raises:
        NotFound: there is no such version.
        Forbidden: the author approves their own words (四眼原则).
        Conflict: it is no draft any more; or it is over already; or it would replace a version that is in force before
            its own first day, which would leave a gap.
    """
    script, row = await _get(tx, script_id, version)
    _check_move(row, ScriptState.APPROVED)
    if row.author == actor:
        raise Forbidden(f"script {script_id} version {version} needs the approval of a second person")
    today = now.astimezone(CHINA).date()
    if row.expires_on is not None and row.expires_on < today:
        raise Conflict(f"script {script_id} version {version} has expired; draft a new one")
    if script.current_version is not None:
        if row.effective_on > today:
            raise Conflict(f"script {script_id} version {version} begins later than the version it would replace ends")
        await _close(tx, script_id, script.current_version, ScriptState.SUPERSEDED, actor, f"version {version}", now)
    row.state, row.approved_by, row.approved_at = ScriptState.APPROVED, actor, now
    script.current_version, script.state, script.updated_at = version, ScriptState.APPROVED, now
    script.category, script.title = row.category, row.title
    tx.add_all([script, row])
    await tx.flush()
    await _note(tx, actor, "script.approve", script_id, version, now)
    await do_bump_library(tx, now)


async def do_withdraw(tx: Tx, actor: str, script_id: str, version: int, reason: str, now: datetime) -> None:
    """Take a draft or the version in force out of use for good. Locks the script's row.

    One person suffices: it only ever makes the bot say less, and it must not wait.

    Raises:
        NotFound: there is no such version.
        Conflict: it is superseded or withdrawn already.
        ScriptInvalid: no reason is given.
    """
    if not reason.strip():
        raise ScriptInvalid(("reason",))
    script, row = await _get(tx, script_id, version)
    _check_move(row, ScriptState.WITHDRAWN)
    await _close(tx, script_id, version, ScriptState.WITHDRAWN, actor, reason.strip(), now)
    if script.current_version == version or script.current_version is None:
        script.current_version, script.state, script.updated_at = None, ScriptState.WITHDRAWN, now
        tx.add(script)
        await tx.flush()
    await _note(tx, actor, "script.withdraw", script_id, version, now)
    await do_bump_library(tx, now)


async def do_bump_library(tx: Tx, now: datetime) -> int:
    """Raise the library's version number and return it, so that every node reads the library anew."""
    row = (await tx.exec(select(LibraryVersionRow).with_for_update())).first()
    if row is None:
        row = LibraryVersionRow(id=1, version=0, changed_at=now)
    row.version, row.changed_at = row.version + 1, now
    tx.add(row)
    await tx.flush()
    return row.version


def search_text(draft: ScriptDraft) -> str:
    """Return what the console's search looks through: id and wording, folded."""
    words = (draft.script_id, draft.title, draft.question, *draft.variants, draft.answer, draft.category)
    return " ".join(fold(word) for word in words)


def _version_row(draft: ScriptDraft, version: int, author: str, now: datetime) -> ScriptVersionRow:
    return ScriptVersionRow(
        script_id=draft.script_id,
        version=version,
        state=ScriptState.DRAFT,
        category=draft.category,
        title=draft.title,
        question=draft.question,
        variants=list(draft.variants),
        answer=draft.answer,
        audience=draft.audience,
        product_code=draft.product_code,
        source=draft.source,
        risk_note=draft.risk_note,
        effective_on=draft.effective_on,
        expires_on=draft.expires_on,
        author=author,
        created_at=now,
    )


def _check_move(row: ScriptVersionRow, to: ScriptState) -> None:
    if to not in MOVES[row.state]:
        raise Conflict(f"script {row.script_id} version {row.version} is {row.state} and cannot become {to}")


async def _lock(tx: Tx, script_id: str) -> ScriptRow | None:
    return (await tx.exec(select(ScriptRow).where(col(ScriptRow.id) == script_id).with_for_update())).first()


async def _get(tx: Tx, script_id: str, version: int) -> tuple[ScriptRow, ScriptVersionRow]:
    script = await _lock(tx, script_id)
    row = await tx.get(ScriptVersionRow, (script_id, version))
    if script is None or row is None:
        raise NotFound(f"there is no version {version} of script {script_id}")
    return script, row


async def _close(
    tx: Tx, script_id: str, version: int, state: ScriptState, actor: str, reason: str, now: datetime
) -> None:
    _, row = await _get(tx, script_id, version)
    row.state, row.closed_by, row.closed_at, row.closed_reason = state, actor, now, reason
    tx.add(row)
    await tx.flush()


async def _note(tx: Tx, actor: str, action: str, script_id: str, version: int, now: datetime) -> None:
    await record(tx, actor=actor, action=action, subject=script_id, details={"version": version}, now=now)
