"""Customers on their way to another member (05, 5.8): they stay 24 h unless they refuse."""

from collections import Counter
from collections.abc import Collection, Iterable

from simulator.announcing import announce_customer
from simulator.platform import Platform
from simulator.relations import take_over
from simulator.state import Follow
from simulator.state_contacts import Transfer
from simulator.world import pair_key

DONE, WAITING, REFUSED, FULL = 1, 2, 3, 4
PERIOD_SECONDS = 90 * 86_400
MOST_IN_PERIOD = 2


def list_transfers(platform: Platform, customers: Collection[str]) -> dict[str, list[Transfer]]:
    """Return every transfer of some customers, oldest first, by customer."""
    found: dict[str, list[Transfer]] = {customer: [] for customer in customers}
    for row in platform.world.transfers.rows.values():
        if row.external_userid in found:
            found[row.external_userid].append(row)
    return found


def count_recent(rows: Iterable[Transfer], now: float) -> int:
    """Return how many of a customer's transfers were begun in 90 days and not refused."""
    return sum(1 for row in rows if row.started_at > now - PERIOD_SECONDS and row.status in {DONE, WAITING})


def start(
    platform: Platform, handover: str, takeover: str, external_userid: str, *, resigned: bool, message: str = ""
) -> Transfer:
    """Begin a transfer; the customer can refuse until `transfer_seconds` have passed."""
    number = platform.world.next_number("transfer")
    row = Transfer(number, handover, takeover, external_userid, resigned, platform.clock.now(), message)
    return platform.world.transfers.put(row)


def settle(platform: Platform) -> None:
    """Finish the transfers whose time is over by the simulated clock."""
    now = platform.clock.now()
    due = [
        row
        for row in platform.world.transfers.rows.values()
        if row.status == WAITING and now >= row.started_at + platform.config.transfer_seconds
    ]
    if not due:
        return
    load = Counter(row.userid for row in platform.world.follows.rows.values() if row.ended_by is None)
    for row in due:
        _finish(platform, row, load)


def _finish(platform: Platform, row: Transfer, load: Counter[str]) -> None:
    most = platform.config.customers_per_member
    follow = platform.world.follows.rows[pair_key(row.handover, row.external_userid)]
    if most and load[row.takeover] >= most:
        _fail(platform, row, FULL, "customer_limit_exceed")
        return
    take_over(platform, follow, row.takeover)
    load[row.takeover] += 1
    row.status, row.takeover_time = DONE, platform.clock.seconds()
    platform.world.transfers.put(row)


def refuse(platform: Platform, row: Transfer) -> None:
    """Let the customer refuse a waiting transfer."""
    _fail(platform, row, REFUSED, "customer_refused")


def _fail(platform: Platform, row: Transfer, status: int, reason: str) -> None:
    row.status = status
    platform.world.transfers.put(row)
    towards = Follow(row.takeover, row.external_userid, 0)
    announce_customer(platform, "transfer_fail", towards, FailReason=reason)
