"""Local accounts: log in with a password, with a lock-out that all nodes share."""

from datetime import datetime, timedelta

from sqlmodel import select

from bot import audit
from bot.storage.database import Database, Tx
from console.auth.models import AccountRow
from console.auth.passwords import hash_password, is_password
from console.auth.sessions import do_end_sessions_of, do_open_session
from console.rights import Role

FAILURES_ALLOWED = 5
LOCK_TIME = timedelta(minutes=15)


class LoginRefused(Exception):
    """The login did not succeed. `locked` tells that trying again now is useless, whatever the password."""

    def __init__(self, *, locked: bool) -> None:
        super().__init__("locked" if locked else "wrong name or password")
        self.locked = locked


async def log_in(db: Database, staff_id: str, password: str, now: datetime) -> str:
    """Check the password and return a new session's token.

    The hash is computed outside any transaction: it takes long, and on SQLite there is one writer.

    Raises:
        LoginRefused: wrong name or password (the two are not told apart), or locked out.
    """
    async with db.reading() as tx:
        account = await tx.get(AccountRow, staff_id)
    if account is not None and account.locked_until is not None and now < account.locked_until:
        raise LoginRefused(locked=True)
    fits = await is_password(account.password_hash if account else None, password)
    async with db.transaction() as tx:
        if not fits:
            locked = await _do_count_failure(tx, staff_id, now)
        else:
            return await do_log_in_as(tx, staff_id, now)
    raise LoginRefused(locked=locked)


async def do_log_in_as(tx: Tx, staff_id: str, now: datetime) -> str:
    """Open a session for an account whose holder is known; resets the failure count and writes the audit entry.

    Raises:
        LoginRefused: there is no such account.
    """
    account = await tx.get(AccountRow, staff_id)
    if account is None:
        raise LoginRefused(locked=False)
    account.failures, account.locked_until = 0, None
    tx.add(account)
    await audit.record(tx, actor=staff_id, action="console.login", subject=f"account:{staff_id}", details={}, now=now)
    return await do_open_session(
        tx, staff_id=staff_id, name=account.name, role=account.role, position=account.position, now=now
    )


async def _do_count_failure(tx: Tx, staff_id: str, now: datetime) -> bool:
    """Count a failure; return whether the account is locked from now on. The row is locked on PostgreSQL."""
    account = (await tx.exec(select(AccountRow).where(AccountRow.staff_id == staff_id).with_for_update())).one_or_none()
    if account is None:
        return False
    account.failures += 1
    if locked := account.failures >= FAILURES_ALLOWED:
        account.failures, account.locked_until = 0, now + LOCK_TIME
        await audit.record(
            tx,
            actor=staff_id,
            action="console.login_locked",
            subject=f"account:{staff_id}",
            details={"minutes": int(LOCK_TIME.total_seconds() // 60)},
            now=now,
        )
    tx.add(account)
    return locked


async def do_put_account(
    tx: Tx, *, staff_id: str, name: str, role: Role, position: str, password: str, now: datetime
) -> AccountRow:
    """Make an account, or give an existing one this role and password; its sessions end."""
    account = await tx.get(AccountRow, staff_id)
    if account is None:
        account = AccountRow(
            staff_id=staff_id, name=name, role=role, position=position, password_hash="", created_at=now
        )
    account.name, account.role, account.position = name, role, position
    account.password_hash = await hash_password(password)
    account.failures, account.locked_until = 0, None
    tx.add(account)
    await do_end_sessions_of(tx, staff_id)
    await audit.record(
        tx, actor="system", action="console.account_put", subject=f"account:{staff_id}", details={"role": role}, now=now
    )
    return account
