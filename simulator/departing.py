"""Members joining, changing and leaving the corp (02, 2.3)."""

from simulator.announcing import announce
from simulator.platform import Platform
from simulator.relations import BY_LEAVING
from simulator.state import Member
from simulator.state_contacts import Departed

OWNER_LEFT = 1
ACTIVE = 1


def hire(platform: Platform, member: Member) -> None:
    """Let someone join the corp."""
    platform.world.departed.remove(member.userid)
    platform.world.members.put(member)
    announce(platform, "change_contact", "create_user", UserID=member.userid, **_facts(platform, member))


def change(platform: Platform, member: Member, new_userid: str | None, *, moved: bool) -> None:
    """Call back a change; for newer callback addresses only a new department or userid is told of."""
    platform.world.members.put(member)
    if moved or new_userid or platform.config.rich_member_events:
        facts = _facts(platform, member)
        announce(platform, "change_contact", "update_user", UserID=member.userid, NewUserID=new_userid, **facts)
    if new_userid:
        _rename(platform, member, new_userid)


def _facts(platform: Platform, member: Member) -> dict[str, object]:
    """Return what the event tells: the department, and all else only where the corp's address is an old one."""
    facts: dict[str, object] = {"Department": str(member.department)}
    if platform.config.rich_member_events:
        facts |= {
            "Name": member.name,
            "Position": member.position,
            "MainDepartment": member.department,
            "IsLeaderInDept": "0",
            "Status": ACTIVE,
        }
    return facts


def _rename(platform: Platform, member: Member, new_userid: str) -> None:
    """Carry a member's relations and groups to the new id."""
    world = platform.world
    old = member.userid
    follows = world.list_follows_of(old)
    world.members.remove(old)
    member.userid = new_userid
    world.members.put(member)
    for follow in follows:
        world.drop_follow(follow)
        follow.userid = new_userid
        world.add_follow(follow)
    for group in world.groups.rows.values():
        if group.owner == old or any(person.userid == old for person in group.members):
            group.owner = new_userid if group.owner == old else group.owner
            for person in group.members:
                person.userid = new_userid if person.userid == old else person.userid
            world.groups.put(group)


def leave(platform: Platform, member: Member) -> int:
    """Let a member leave: customers wait for a successor, groups have lost their owner; return how many customers."""
    world = platform.world
    now = platform.clock.seconds()
    follows = world.list_follows_of(member.userid)
    for follow in follows:
        follow.ended_by, follow.ended_at = BY_LEAVING, now
        world.follows.put(follow)
    for group in world.list_groups_owned_by(member.userid):
        group.status = OWNER_LEFT
        world.groups.put(group)
    world.members.remove(member.userid)
    world.departed.put(Departed(member.userid, now))
    announce(platform, "change_contact", "delete_user", UserID=member.userid, Department=str(member.department))
    return len(follows)
