"""To-dos (待办): what a member must do, made once for each cause, and closed by the member or by what happened."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from sqlmodel import col, or_, select

from bot.clock import CHINA
from bot.errors import Forbidden, NotFound
from bot.ids import StaffId, new_id
from bot.json import JSON
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore
from sop.models import TodoKind, TodoRow
from sop.moves import move_todo
from sop.states import TodoState


async def do_create_todo(
    tx: Tx,
    staff_id: StaffId,
    kind: TodoKind,
    title: str,
    body: str,
    subject: str,
    now: datetime,
    due_at: datetime | None = None,
    *,
    copy_text: str | None = None,
    evidence: Mapping[str, JSON] | None = None,
    once_key: str | None = None,
) -> TodoRow:
    """Create a to-do, or return the one that the same `once_key` has made before, in whatever state it is by now.

    `evidence` says where `copy_text` comes from, e.g. a script's id and version.
    """
    todo_id = new_id("todo")
    row = {
        "id": todo_id,
        "once_key": once_key or todo_id,
        "staff_id": staff_id,
        "kind": kind,
        "title": title,
        "body": body,
        "subject": subject,
        "copy_text": copy_text,
        "evidence": dict(evidence or {}),
        "state": TodoState.OPEN,
        "created_at": now,
        "due_at": due_at,
        "ended_at": None,
    }
    await insert_ignore(tx, TodoRow, [row], ("once_key",))
    return (await tx.exec(select(TodoRow).where(TodoRow.once_key == row["once_key"]))).one()


async def list_todos(tx: Tx, staff_id: StaffId, on: date, limit: int = 100) -> list[TodoRow]:
    """List the member's open to-dos due on that day (China time) or before, or at no time; the most urgent first."""
    end = datetime.combine(on + timedelta(days=1), time(), CHINA)
    query = (
        select(TodoRow)
        .where(
            TodoRow.staff_id == staff_id,
            TodoRow.state == TodoState.OPEN,
            or_(col(TodoRow.due_at).is_(None), col(TodoRow.due_at) < end),
        )
        .order_by(col(TodoRow.due_at).is_(None), col(TodoRow.due_at), col(TodoRow.created_at), col(TodoRow.id))
        .limit(limit)
    )
    return list((await tx.exec(query)).all())


async def access_todo(tx: Tx, staff_id: StaffId, todo_id: str) -> TodoRow:
    """Return a to-do of the member's own.

    Raises:
        NotFound: there is none with that id.
        Forbidden: it is somebody else's.
    """
    row = await tx.get(TodoRow, todo_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no todo {todo_id}")
    if row.staff_id != staff_id:
        raise Forbidden(f"todo {todo_id} is not {staff_id}'s")
    return row


async def do_complete_todo(tx: Tx, todo_id: str, now: datetime) -> TodoRow:
    """Mark an open to-do as done. Doing so again changes nothing. Whose it is, `access_todo` asks before.

    Raises:
        NotFound: there is none with that id.
        Conflict: it has expired or was cancelled.
    """
    row = await tx.get(TodoRow, todo_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no todo {todo_id}")
    if row.state is not TodoState.DONE:
        move_todo(row, TodoState.DONE, now)
    return row


async def do_close_todos_about(tx: Tx, subject: str, state: TodoState, now: datetime) -> int:
    """Close every open to-do about a subject, because what it was for has happened or is off. Returns how many."""
    query = (
        select(TodoRow)
        .where(TodoRow.subject == subject, TodoRow.state == TodoState.OPEN)
        .order_by(col(TodoRow.id))
        .with_for_update()
    )
    rows = (await tx.exec(query)).all()
    for row in rows:
        move_todo(row, state, now)
    return len(rows)
