"""The lexicon in the database: which version is in force, installing the shipped one, publishing a new one."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from bot.audit import record
from bot.errors import Conflict, Forbidden
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore
from compliance.errors import LexiconMissing, LexiconRefused
from compliance.lexicon import Lexicon, Term, build_lexicon, default_terms_csv, parse_terms
from compliance.models import LexiconVersionRow, TermRow

_SYSTEM = "system"
# 中文文案：词库历史里显示的说明。
_DEFAULT_REASON = "随产品安装的默认词库"


class LexiconStore:
    """The lexicon in force, compiled once for each version.

    A new version is compiled aside and takes the old one's place in one assignment, so a reader never sees half of it.
    """

    def __init__(self) -> None:
        self._compiled: Lexicon | None = None

    async def current(self, tx: Tx) -> Lexicon:
        """Return the newest version; asks the database for its number each time, and for the terms when it changed.

        Raises:
            LexiconMissing: none is installed.
        """
        version = await find_version(tx)
        if version is None:
            raise LexiconMissing("no lexicon is installed; run the installation of the shipped one first")
        if self._compiled is None or self._compiled.version != version:
            self._compiled = build_lexicon(version, await list_terms(tx, version))
        return self._compiled

    async def do_install_default(self, tx: Tx, now: datetime) -> int:
        """Install the shipped lexicon as version 1 unless there is one already. Returns the version in force."""
        version = await find_version(tx)
        if version is not None:
            return version
        terms = parse_terms(default_terms_csv()).terms
        # Where another node was faster, its version 1 is the same file.
        await _insert(tx, 1, terms, author=_SYSTEM, approver=_SYSTEM, reason=_DEFAULT_REASON, now=now)
        return 1


async def find_version(tx: Tx) -> int | None:
    """Return the number of the version in force."""
    return (await tx.exec(select(func.max(LexiconVersionRow.version)))).one()


async def list_terms(tx: Tx, version: int) -> list[Term]:
    """List the terms of one version, in the order of its file."""
    rows = await tx.exec(select(TermRow).where(TermRow.version == version).order_by(col(TermRow.id)))
    return [Term(row.word, row.category, row.severity, row.action, row.direction) for row in rows.all()]


async def do_import_lexicon(tx: Tx, file: str, *, author: str, approver: str, reason: str, now: datetime) -> int:
    """Publish a CSV as the new version and put it in force. Returns its number.

    Raises:
        LexiconRefused: rows are wrong; nothing is installed.
        Forbidden: the author approves their own change (四眼原则).
        Conflict: somebody else published at the same moment.
    """
    if author == approver:
        raise Forbidden("a lexicon change needs a second person's approval")
    parsed = parse_terms(file)
    if parsed.errors:
        raise LexiconRefused(parsed.errors)
    version = (await find_version(tx) or 0) + 1
    if not await _insert(tx, version, parsed.terms, author=author, approver=approver, reason=reason, now=now):
        raise Conflict(f"lexicon version {version} has just been published by somebody else; look at it first")
    return version


async def _insert(
    tx: Tx, version: int, terms: Sequence[Term], *, author: str, approver: str, reason: str, now: datetime
) -> bool:
    digest = hashlib.sha256(repr(sorted(map(_values, terms))).encode()).hexdigest()
    head: dict[str, Any] = {
        "version": version,
        "created_at": now,
        "author": author,
        "approver": approver,
        "reason": reason,
        "term_count": len(terms),
        "sha256": digest,
    }
    if not await insert_ignore(tx, LexiconVersionRow, [head], conflict=("version",)):
        return False
    rows = [
        {
            "version": version,
            "rule_id": term.rule_id,
            "word": term.word,
            "category": term.category,
            "severity": term.severity,
            "action": term.action,
            "direction": term.direction,
        }
        for term in terms
    ]
    await insert_ignore(tx, TermRow, rows, conflict=("version", "rule_id"))
    await record(
        tx,
        actor=author,
        action="lexicon.published",
        subject=f"lexicon:{version}",
        details={"approver": approver, "reason": reason, "terms": len(terms), "sha256": digest},
        now=now,
    )
    return True


def _values(term: Term) -> tuple[str, ...]:
    return (term.word, term.category.value, term.severity.value, term.action.value, term.direction.value)
