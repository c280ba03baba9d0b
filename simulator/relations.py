"""Members and customers becoming friends and parting, by what people do (02, 2.4)."""

from dataclasses import dataclass

from simulator.announcing import announce_customer
from simulator.platform import Platform
from simulator.state import Customer, Follow, Member, WelcomeCode
from simulator.world import pair_key

BY_QR = 1
BY_LINK = 16
BY_MEMBER, BY_CUSTOMER, BY_TRANSFER, BY_LEAVING = "member", "customer", "transfer", "resigned"


class AlreadyFriends(Exception):
    """The two are friends already."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """How a customer comes to a member; `half` is a code without the member's confirmation."""

    name: str = ""
    external_userid: str = ""
    state: str = ""
    add_way: int = BY_QR
    half: bool = False
    link_id: str | None = None
    with_code: bool = True


def new_welcome_code(platform: Platform, follow: Follow) -> WelcomeCode:
    """Issue the welcome code of a new relation."""
    code = WelcomeCode(platform.new_id(), follow.userid, follow.external_userid, platform.clock.now())
    return platform.world.welcome_codes.put(code)


def befriend(platform: Platform, member: Member, meeting: Meeting) -> tuple[Follow, str | None]:
    """Make a relation and call it back; return it with its welcome code, which is absent where the platform has none.

    There is no code when the two chatted before, or when the console has a welcome of its own (`with_code` false).

    Raises:
        AlreadyFriends: nothing was changed.
    """
    external_userid = meeting.external_userid or platform.new_id("wm")[:32]
    if platform.world.find_follow(member.userid, external_userid) is not None:
        raise AlreadyFriends
    now = platform.clock.seconds()
    customer = platform.world.customers.find(external_userid)
    if customer is None:
        customer = Customer(external_userid, meeting.name or "新客户", 0, agreed=True, agreed_at=now)
        platform.world.customers.put(customer)
    before = platform.world.follows.find(pair_key(member.userid, external_userid))
    chatted = before is not None and before.last_chat_at > 0
    follow = Follow(
        userid=member.userid,
        external_userid=external_userid,
        createtime=now,
        remark=customer.name,
        state=meeting.state,
        add_way=meeting.add_way,
        half=meeting.half,
    )
    platform.world.add_follow(follow)
    code = new_welcome_code(platform, follow).code if meeting.with_code and not chatted else None
    change = "add_half_external_contact" if meeting.half else "add_external_contact"
    announce_customer(platform, change, follow, State=meeting.state, WelcomeCode=code, LinkId=meeting.link_id)
    return follow, code


def confirm_half(platform: Platform, follow: Follow) -> None:
    """Let a member confirm a half-friend: the add event comes without a code, the half event had it."""
    follow.half = False
    platform.world.follows.put(follow)
    announce_customer(platform, "add_external_contact", follow, State=follow.state)


def part(platform: Platform, follow: Follow, by: str) -> None:
    """End a relation: the member deletes the customer, the customer the member, or a transfer takes it over."""
    follow.ended_by, follow.ended_at = by, platform.clock.seconds()
    platform.world.follows.put(follow)
    if by == BY_CUSTOMER:
        announce_customer(platform, "del_follow_user", follow)
    elif by in {BY_MEMBER, BY_TRANSFER}:
        source = "DELETE_BY_TRANSFER" if by == BY_TRANSFER else None
        announce_customer(platform, "del_external_contact", follow, Source=source)


def take_over(platform: Platform, old: Follow, takeover: str) -> None:
    """Give a customer to another member with remark and tags; a friend gets no second add event."""
    if old.ended_by is None:
        part(platform, old, BY_TRANSFER)
    if platform.world.find_follow(takeover, old.external_userid) is not None:
        return
    follow = Follow(
        userid=takeover,
        external_userid=old.external_userid,
        createtime=platform.clock.seconds(),
        remark=old.remark,
        description=old.description,
        remark_company=old.remark_company,
        remark_mobiles=list(old.remark_mobiles),
        tag_ids=list(old.tag_ids),
        add_way=202,
        state=old.state,
    )
    platform.world.add_follow(follow)
    announce_customer(platform, "add_external_contact", follow, State=follow.state)
