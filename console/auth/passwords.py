"""Hash and verify passwords with argon2, a bounded number at a time.

One hash takes about 64 MiB and a core for tens of milliseconds: a burst of logins must not take the memory and the
cores that callbacks need. So two run at a time, in threads, and the rest wait.
"""

import asyncio
from functools import cache
from weakref import WeakKeyDictionary

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_HASHER = PasswordHasher()
_AT_A_TIME = 2
_slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def hash_password(password: str) -> str:
    """Return the argon2id hash, parameters included."""
    async with _slot():
        return await asyncio.to_thread(_HASHER.hash, password)


async def is_password(password_hash: str | None, password: str) -> bool:
    """Tell whether the password fits. Without a hash (no such account) it takes as long and says no."""
    async with _slot():
        return await asyncio.to_thread(_verify, password_hash or _decoy(), password)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return _HASHER.hash("nobody has this password, and it opens nothing")


def _slot() -> asyncio.Semaphore:
    """Return the running loop's semaphore; a semaphore must not be shared between loops."""
    loop = asyncio.get_running_loop()
    if loop not in _slots:
        _slots[loop] = asyncio.Semaphore(_AT_A_TIME)
    return _slots[loop]
