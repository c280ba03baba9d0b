"""Keep messages: store, screen, and open or extend the review case their findings belong to."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from bot.ids import new_id
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore
from compliance.cases import WAITING, CaseState, due_at
from compliance.findings import Category, Finding
from compliance.lexicon import Lexicon
from compliance.messages import ArchivedMessageIn, ChatKind, SenderKind, sender_kind_of
from compliance.models import ArchivedMessageRow, CaseRow, ConversationRow, FindingRow
from compliance.policy import gravest, opens_case
from compliance.records import revoked_msgid
from compliance.screening import screen
from compliance.settings import ComplianceSettings

_DEFAULTS = ComplianceSettings()


async def do_archive(
    tx: Tx,
    message: ArchivedMessageIn,
    lexicon: Lexicon,
    now: datetime,
    settings: ComplianceSettings = _DEFAULTS,
) -> int | None:
    """Store a message with its findings, and open or extend the cases they call for.

    Findings of one conversation that lie close together are one case; AML findings form a case of their own, which
    only those with the right can see. A member's talk with our own app is kept and screened but makes no case (asking
    whether a text may be sent is no offence), except for urgent signals.

    Effects:
        Locks the conversation's row until commit. Does not commit.

    Returns:
        The stored message's id, or `None` when this msgid is known already.
    """
    await _lock_conversation(tx, message)
    row = await _store(tx, message, lexicon.version, now)
    if row is None or row.id is None:
        return None
    await _mark_revoked(tx, message)
    findings = screen(row.text, lexicon, message.sender_kind.direction)
    await _keep_findings(tx, row, findings, now, settings)
    return row.id


def storable(text: str) -> str:
    """Replace what databases refuse in text: NUL characters and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def storable_json(value: Any) -> Any:
    """Return a JSON value with every text made storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): storable_json(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [storable_json(item) for item in value]
    return value


async def _lock_conversation(tx: Tx, message: ArchivedMessageIn) -> None:
    """Take turns by conversation, so that two nodes cannot open two cases for one window."""
    first = {
        "conversation": message.conversation,
        "chat_kind": message.chat_kind,
        "first_at": message.sent_at,
        "last_at": message.sent_at,
        "message_count": 0,
    }
    await insert_ignore(tx, ConversationRow, [first], conflict=("conversation",))
    query = select(ConversationRow).where(ConversationRow.conversation == message.conversation).with_for_update()
    await tx.exec(query)


async def _store(tx: Tx, message: ArchivedMessageIn, version: int, now: datetime) -> ArchivedMessageRow | None:
    text = storable(message.text)
    values = {
        "source": message.source,
        "msgid": message.msgid,
        "source_seq": message.source_seq,
        "chat_kind": message.chat_kind,
        "conversation": message.conversation,
        "sender_id": message.sender_id,
        "sender_kind": message.sender_kind,
        "receivers": list(message.receivers),
        "room_id": message.room_id,
        "msgtype": message.msgtype,
        "text": text,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "raw": storable_json(message.raw),
        "evidence": storable_json(message.evidence),
        "sent_at": message.sent_at,
        "archived_at": now,
        "scanned_version": version,
    }
    if not await insert_ignore(tx, ArchivedMessageRow, [values], conflict=("source", "msgid")):
        return None
    await _count_message(tx, message)
    query = select(ArchivedMessageRow).where(
        ArchivedMessageRow.source == message.source, ArchivedMessageRow.msgid == message.msgid
    )
    return (await tx.exec(query)).one()


async def _count_message(tx: Tx, message: ArchivedMessageIn) -> None:
    conversation = await tx.get_one(ConversationRow, message.conversation)
    conversation.message_count += 1
    conversation.first_at = min(conversation.first_at, message.sent_at)
    conversation.last_at = max(conversation.last_at, message.sent_at)


async def _mark_revoked(tx: Tx, message: ArchivedMessageIn) -> None:
    """Mark the recalled message; its words stay, because recalling is conduct too."""
    recalled = revoked_msgid(message)
    if recalled is None:
        return
    statement = (
        update(ArchivedMessageRow)
        .where(col(ArchivedMessageRow.source) == message.source, col(ArchivedMessageRow.msgid) == recalled)
        .values(revoked_at=message.sent_at)
    )
    await (await tx.connection()).execute(statement)


async def _keep_findings(
    tx: Tx, row: ArchivedMessageRow, findings: Sequence[Finding], now: datetime, settings: ComplianceSettings
) -> None:
    case_ids: dict[bool, str] = {}
    for confidential in (False, True):
        calling = [
            finding
            for finding in findings
            if _is_confidential(finding) == confidential and _calls_for_case(finding, row)
        ]
        if calling:
            case_ids[confidential] = await _open_or_extend(tx, row, calling, confidential, now, settings)
    for finding in findings:
        in_case = _calls_for_case(finding, row)
        case_id = case_ids.get(_is_confidential(finding)) if in_case else None
        tx.add(_finding_row(row, finding, case_id, now))
    await tx.flush()


def _is_confidential(finding: Finding) -> bool:
    return finding.category is Category.AML_REDFLAG


def _calls_for_case(finding: Finding, row: ArchivedMessageRow) -> bool:
    """Tell whether a person must look. In a member's talk with our app only the member's own cry for help counts.

    What the app itself says there may quote a customer whose words have a case already.
    """
    if row.chat_kind is ChatKind.BOT:
        own_cry = finding.category is Category.URGENT_SIGNAL and row.sender_kind is SenderKind.STAFF
        return own_cry and opens_case(finding)
    return opens_case(finding)


def _finding_row(row: ArchivedMessageRow, finding: Finding, case_id: str | None, now: datetime) -> FindingRow:
    assert row.id is not None
    return FindingRow(
        message_id=row.id,
        case_id=case_id,
        rule_id=finding.rule_id,
        term=finding.term,
        category=finding.category,
        severity=finding.severity,
        action=finding.action,
        technique=finding.technique,
        start=finding.start,
        end=finding.end,
        lexicon_version=finding.lexicon_version,
        suppressed_by=finding.suppressed_by,
        found_at=now,
    )


async def _open_or_extend(
    tx: Tx,
    row: ArchivedMessageRow,
    findings: Sequence[Finding],
    confidential: bool,
    now: datetime,
    settings: ComplianceSettings,
) -> str:
    case = await _find_window(tx, row, confidential, settings)
    if case is None:
        case = _new_case(row, findings, confidential, now, settings)
        tx.add(case)
    else:
        _extend(case, row, findings, now, settings)
    await tx.flush()
    return case.id


async def _find_window(
    tx: Tx, row: ArchivedMessageRow, confidential: bool, settings: ComplianceSettings
) -> CaseRow | None:
    query = (
        select(CaseRow)
        .where(
            CaseRow.conversation == row.conversation,
            CaseRow.confidential == confidential,
            col(CaseRow.state).in_(WAITING),
            col(CaseRow.last_hit_at) >= row.sent_at - settings.case_window,
            col(CaseRow.first_hit_at) <= row.sent_at + settings.case_window,
        )
        .order_by(col(CaseRow.last_hit_at).desc())
        .limit(1)
        .with_for_update()
    )
    return (await tx.exec(query)).first()


def _new_case(
    row: ArchivedMessageRow,
    findings: Sequence[Finding],
    confidential: bool,
    now: datetime,
    settings: ComplianceSettings,
) -> CaseRow:
    worst = gravest(findings)
    return CaseRow(
        id=new_id("case"),
        conversation=row.conversation,
        chat_kind=row.chat_kind,
        category=worst.category,
        severity=worst.severity,
        state=CaseState.OPEN,
        confidential=confidential,
        subjects=sorted(_subjects(row)),
        finding_count=len(findings),
        first_hit_at=row.sent_at,
        last_hit_at=row.sent_at,
        opened_at=now,
        due_at=_due(findings, now, settings),
    )


def _extend(
    case: CaseRow,
    row: ArchivedMessageRow,
    findings: Sequence[Finding],
    now: datetime,
    settings: ComplianceSettings,
) -> None:
    worst = gravest(findings)
    if worst.severity.rank < case.severity.rank:
        case.severity, case.category = worst.severity, worst.category
    case.subjects = sorted({*case.subjects, *_subjects(row)})
    case.finding_count += len(findings)
    case.first_hit_at = min(case.first_hit_at, row.sent_at)
    case.last_hit_at = max(case.last_hit_at, row.sent_at)
    case.due_at = min(case.due_at, _due(findings, now, settings))
    # Whoever has the case open must look again before deciding.
    case.revision += 1


def _due(findings: Iterable[Finding], now: datetime, settings: ComplianceSettings) -> datetime:
    return min(due_at(finding.severity, finding.category, now, settings) for finding in findings)


def _subjects(row: ArchivedMessageRow) -> set[str]:
    """Return the members a finding in this message may be about.

    In a chat of two that is the member, whoever spoke. In a group only a member who spoke: others may be there to
    supervise.
    """
    people = [row.sender_id] if row.chat_kind is ChatKind.GROUP else [row.sender_id, *row.receivers]
    staff = {person for person in people if sender_kind_of(person) is SenderKind.STAFF}
    if row.sender_kind is not SenderKind.STAFF:
        staff.discard(row.sender_id)
    return staff
