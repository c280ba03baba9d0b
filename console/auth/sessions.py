"""Login sessions: opened, recognised, ended. The truth is the row, so that an end holds on every node at once."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadSignature, Signer
from sqlalchemy import delete, update
from sqlmodel import col

from bot.errors import Forbidden
from bot.ids import StaffId
from bot.storage.database import Database, Tx
from console.auth.models import AccountRow, LoginSessionRow, Surface
from console.rights import Right, Role, has_right

IDLE_LIMIT = timedelta(minutes=30)
ABSOLUTE_LIMIT = timedelta(hours=12)
# `seen_at` is written at most this often: one write a minute and person, not one for every poll.
_SEEN_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. `session` is the token's SHA-256, never the token."""

    staff_id: StaffId
    name: str
    role: Role
    position: str
    session: str
    surface: Surface = Surface.CONSOLE
    language: str = "zh"
    theme: str = "auto"

    def has(self, right: Right) -> bool:
        """Tell whether this person holds `right` here: inside the side bar only replying is possible."""
        if self.surface is Surface.SIDEBAR and right not in {Right.SEND_REPLIES, Right.SIGNED_IN}:
            return False
        return has_right(self.role, right)

    def check(self, right: Right) -> None:
        """Raise `Forbidden` unless this person holds `right`."""
        if not self.has(right):
            raise Forbidden(f"role {self.role} lacks {right}")


class SessionKeys:
    """Signs cookies and makes the CSRF token of a session, both from the one secret key."""

    def __init__(self, secret_key: str) -> None:
        self._signer = Signer(secret_key, salt="console.session", digest_method=hashlib.sha256)
        self._csrf_key = hashlib.sha256(b"console.csrf:" + secret_key.encode()).digest()

    def seal(self, token: str) -> str:
        """Return the cookie's value for a token."""
        return self._signer.sign(token).decode()

    def unseal(self, cookie: str) -> str | None:
        """Return the token's SHA-256, or `None` when the cookie was not made by us."""
        try:
            token = self._signer.unsign(cookie)
        except BadSignature:
            return None
        return hashlib.sha256(token).hexdigest()

    def csrf_token(self, session: str) -> str:
        """Return what pages of this session send as `X-CSRF-Token`."""
        return hmac.new(self._csrf_key, session.encode(), hashlib.sha256).hexdigest()

    def is_csrf_token(self, session: str, given: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.csrf_token(session).encode(), given.encode())


async def do_open_session(
    tx: Tx,
    *,
    staff_id: str,
    name: str,
    role: Role,
    position: str,
    now: datetime,
    surface: Surface = Surface.CONSOLE,
) -> str:
    """Write a session and return its token, which exists nowhere else. Old sessions of anybody are swept out."""
    await (await tx.connection()).execute(
        delete(LoginSessionRow).where(col(LoginSessionRow.expires_at) < now - ABSOLUTE_LIMIT)
    )
    token = secrets.token_urlsafe(32)
    tx.add(
        LoginSessionRow(
            token_sha256=hashlib.sha256(token.encode()).hexdigest(),
            staff_id=staff_id,
            name=name,
            role=role,
            position=position,
            surface=surface,
            created_at=now,
            seen_at=now,
            expires_at=now + ABSOLUTE_LIMIT,
        )
    )
    return token


async def do_end_session(tx: Tx, session: str) -> None:
    """End one session; nothing happens when it is gone already."""
    await (await tx.connection()).execute(delete(LoginSessionRow).where(col(LoginSessionRow.token_sha256) == session))


async def do_end_sessions_of(tx: Tx, staff_id: str) -> None:
    """End all sessions of one person: after a change of role or password."""
    await (await tx.connection()).execute(delete(LoginSessionRow).where(col(LoginSessionRow.staff_id) == staff_id))


async def find_principal(db: Database, session: str, now: datetime) -> Principal | None:
    """Return who the session belongs to, or `None` when it is unknown, idle too long or too old."""
    async with db.reading() as tx:
        row = await tx.get(LoginSessionRow, session)
        if row is None or now >= row.expires_at or now - row.seen_at >= IDLE_LIMIT:
            return None
        account = await tx.get(AccountRow, row.staff_id)
    if now - row.seen_at >= _SEEN_STEP:
        await _note_seen(db, session, now)
    return Principal(
        staff_id=StaffId(row.staff_id),
        name=row.name,
        role=account.role if account is not None and row.surface is Surface.CONSOLE else row.role,
        position=row.position,
        session=session,
        surface=row.surface,
        language=account.language if account else "zh",
        theme=account.theme if account else "auto",
    )


async def _note_seen(db: Database, session: str, now: datetime) -> None:
    async with db.transaction() as tx:
        await (await tx.connection()).execute(
            update(LoginSessionRow).where(col(LoginSessionRow.token_sha256) == session).values(seen_at=now)
        )
