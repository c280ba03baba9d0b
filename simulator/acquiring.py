"""获客助手 at work (05, 5.11; 02, 2.7): customers who come through a link, their first messages, the balance."""

from datetime import timedelta

from simulator.announcing import announce
from simulator.platform import Platform
from simulator.relations import BY_LINK, Meeting, befriend
from simulator.state import Follow, Member
from simulator.state_contacts import AcquiredCustomer, AcquisitionLink, ChatKey
from simulator.world import pair_key

EVENT = "customer_acquisition"
TOLD_MESSAGES = frozenset({3, 5, 10})
CHAT_KEY_LIFE = timedelta(minutes=30)
LOW_BALANCE = 20
FIRST_BALANCE = 1000
BALANCE = "acquisition_used"


def list_people(platform: Platform, link: AcquisitionLink) -> list[Member]:
    """Return the members behind a link who serve customers."""
    world = platform.world
    below = {number for root in link.departments for number in world.list_departments_below(root)}
    return [
        row
        for row in world.members.rows.values()
        if row.serves and (row.userid in link.users or row.department in below)
    ]


def acquire(platform: Platform, link: AcquisitionLink, meeting: Meeting) -> tuple[Follow, str | None]:
    """Let a customer come through a link to its first member; return the relation and its welcome code."""
    member = list_people(platform, link)[0]
    state = meeting.state
    announce(platform, EVENT, "friend_request", LinkId=link.link_id, State=state)
    come = Meeting(meeting.name, meeting.external_userid, state, BY_LINK, not link.skip_verify, link.link_id)
    follow, code = befriend(platform, member, come)
    row = AcquiredCustomer(link.link_id, follow.userid, follow.external_userid, state, platform.clock.seconds())
    platform.world.acquired.put(row)
    spend(platform)
    return follow, code


def note_customer_message(platform: Platform, follow: Follow) -> None:
    """Count what an acquired customer writes; the first, third, fifth and tenth are called back."""
    row = platform.world.acquired.find(pair_key(follow.userid, follow.external_userid))
    if row is None:
        return
    row.messages += 1
    platform.world.acquired.put(row)
    if row.messages == 1:
        pair = {"UserID": row.userid, "ExternalUserID": row.external_userid}
        announce(platform, EVENT, "customer_start_chat", **pair, LinkId=row.link_id)
    if row.messages in TOLD_MESSAGES:
        expires_at = platform.clock.now() + CHAT_KEY_LIFE.total_seconds()
        key = ChatKey(
            platform.new_id("chat"),
            row.link_id,
            row.userid,
            row.external_userid,
            row.state,
            row.messages,
            expires_at,
        )
        platform.world.chat_keys.put(key)
        announce(platform, EVENT, "message_from_customer", LinkId=row.link_id, ChatKey=key.key)


def total_of(platform: Platform) -> int:
    """Return how many customers the corp has bought."""
    bought = platform.world.counters.find("acquisition_bought")
    return FIRST_BALANCE + (bought.value if bought is not None else 0)


def balance_of(platform: Platform) -> int:
    """Return how many customers may still come."""
    used = platform.world.counters.find(BALANCE)
    return total_of(platform) - (used.value if used is not None else 0)


def spend(platform: Platform, count: int = 1) -> None:
    """Use up some of the balance; below 20 and at nothing the corp is told."""
    before = balance_of(platform)
    for _ in range(min(count, before)):
        platform.world.next_number(BALANCE)
    after = balance_of(platform)
    if after == 0 < before:
        announce(platform, EVENT, "balance_exhausted")
    elif after < LOW_BALANCE <= before:
        announce(platform, EVENT, "balance_low")


def buy(platform: Platform, count: int) -> None:
    """Add to the balance."""
    for _ in range(count):
        platform.world.next_number("acquisition_bought")
    announce(platform, EVENT, "balance_increased")
