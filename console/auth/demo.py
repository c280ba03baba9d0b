"""The demo's three people. Their password is public, so they exist in the demo only."""

from dataclasses import dataclass
from datetime import datetime

from bot.storage.database import Tx
from console.auth.local import do_put_account
from console.auth.models import AccountRow
from console.rights import Role

DEMO_PASSWORD = "demo-rm-assistant"  # noqa: S105  shown on the demo's login page


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One of the demo's accounts."""

    staff_id: str
    name: str
    role: Role
    position: str


DEMO_PEOPLE = (
    DemoPerson("rm001", "李娜", Role.RM, "城东支行"),
    DemoPerson("co001", "周敏", Role.OFFICER, "总行合规部"),
    DemoPerson("ad001", "陈工", Role.ADMIN, "总行科技部"),
)


async def do_install_demo_accounts(tx: Tx, now: datetime) -> int:
    """Make the demo's accounts that are missing; return how many were made."""
    made = 0
    for person in DEMO_PEOPLE:
        if await tx.get(AccountRow, person.staff_id) is None:
            await do_put_account(
                tx,
                staff_id=person.staff_id,
                name=person.name,
                role=person.role,
                position=person.position,
                password=DEMO_PASSWORD,
                now=now,
            )
            made += 1
    return made
