"""`rmbot account`: who may log in to the console. Outside the demo there are no accounts until one is made here."""

from bot.clock import SystemClock
from bot.errors import SettingsError
from bot.storage.database import Database
from console.auth.local import do_put_account
from console.rights import Role
from console.settings import Settings

SHORTEST_PASSWORD = 12


async def put_account(settings: Settings, *, staff_id: str, name: str, role: str, position: str, password: str) -> None:
    """Make an account, or give an existing one this role and password; its sessions end.

    Raises:
        SettingsError: there is no such role, or the password is too short.
    """
    if role not in set(Role):
        raise SettingsError(f"{role} is no role: choose one of {', '.join(Role)}")
    if len(password) < SHORTEST_PASSWORD:
        raise SettingsError(f"the password needs {SHORTEST_PASSWORD} characters or more")
    database = await Database.open(settings.storage.url)
    try:
        async with database.transaction() as tx:
            await do_put_account(
                tx,
                staff_id=staff_id,
                name=name,
                role=Role(role),
                position=position,
                password=password,
                now=SystemClock().now(),
            )
    finally:
        await database.close()
