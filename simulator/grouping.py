"""What people do in customer groups (02, 2.5): make them, join, leave, rename, hand over, dismiss."""

import secrets
from collections.abc import Sequence

from simulator.announcing import announce_group, announce_members, renew_version
from simulator.platform import Platform
from simulator.state import Group, GroupMember

INVITED, BY_LINK, BY_QR = 1, 2, 3  # join_scene of groupchat/get
QUIT_SELF, QUIT_REMOVED = 0, 1
STAFF, CUSTOMER = 1, 2


def make_group(platform: Platform, owner: str, name: str, people: Sequence[str]) -> Group:
    """Let a member make a customer group."""
    now = platform.clock.seconds()
    group = Group(platform.new_id("wr")[:32], name, owner, now, "", [], secrets.token_hex(16))
    for person in dict.fromkeys([owner, *people]):
        group.members.append(_new_member(platform, group, person, INVITED))
    platform.world.groups.put(group)
    announce_group(platform, "create", group.chat_id)
    return group


def _new_member(platform: Platform, group: Group, person: str, scene: int, state: str = "") -> GroupMember:
    kind = STAFF if person in platform.world.members.rows else CUSTOMER
    name = platform.world.name_of(person)
    return GroupMember(person, kind, platform.clock.seconds(), scene, name, state, group.owner)


def join(platform: Platform, group: Group, people: Sequence[str], scene: int = INVITED, state: str = "") -> list[str]:
    """Let people join; return those who were not in yet. The event's JoinScene is 0 where groupchat/get says 1."""
    inside = {member.userid for member in group.members}
    new = [person for person in dict.fromkeys(people) if person not in inside]
    if new:
        group.members += [_new_member(platform, group, person, scene, state) for person in new]
        announce_members(platform, group, "add_member", new, JoinScene=0 if scene == INVITED else scene)
        platform.world.groups.put(group)
    return new


def leave(platform: Platform, group: Group, people: Sequence[str], *, removed: bool) -> list[str]:
    """Let people leave or be removed; return those who were in."""
    gone = [member.userid for member in group.members if member.userid in people]
    if gone:
        group.members = [member for member in group.members if member.userid not in gone]
        scene = QUIT_REMOVED if removed else QUIT_SELF
        announce_members(platform, group, "del_member", gone, QuitScene=scene)
        platform.world.groups.put(group)
    return gone


def rename(platform: Platform, group: Group, name: str) -> None:
    """Give a group another name."""
    group.name = name
    _update(platform, group, "change_name")


def post_notice(platform: Platform, group: Group, notice: str) -> None:
    """Give a group another notice."""
    group.notice = notice
    _update(platform, group, "change_notice")


def hand_over(platform: Platform, group: Group, owner: str) -> None:
    """Let the owner pass the group on in the client."""
    give_to(platform, group, owner)
    _update(platform, group, "change_owner")


def _update(platform: Platform, group: Group, detail: str) -> None:
    platform.world.groups.put(group)
    announce_group(platform, "update", group.chat_id, UpdateDetail=detail)


def give_to(platform: Platform, group: Group, owner: str) -> None:
    """Make a member the owner, and a member of the group if not yet in it; nothing is announced."""
    if all(member.userid != owner for member in group.members):
        group.members.append(_new_member(platform, group, owner, INVITED))
        renew_version(group)
    group.owner = owner
    platform.world.groups.put(group)


def dismiss(platform: Platform, group: Group) -> None:
    """End a group."""
    platform.world.groups.remove(group.chat_id)
    announce_group(platform, "dismiss", group.chat_id)


def admit_by_code(platform: Platform, chat_ids: Sequence[str], person: str, state: str, base_name: str | None) -> str:
    """Let someone join the first group of a code that has room; return its id.

    With a `base_name` ("" for the first group's own) a new group is made when all are full.

    Raises:
        GroupsFull: no room and no new group.
    """
    groups = [group for chat_id in chat_ids if (group := platform.world.groups.find(chat_id)) is not None]
    if not groups:
        raise GroupsFull
    inside = next((group for group in groups if any(member.userid == person for member in group.members)), None)
    most = platform.config.group_capacity
    free = inside or next((group for group in groups if len(group.members) < most), None)
    if free is None and base_name is not None:
        free = make_group(platform, groups[-1].owner, base_name or groups[-1].name, [])
    if free is None:
        raise GroupsFull
    join(platform, free, [person], BY_QR, state)
    return free.chat_id


class GroupsFull(Exception):
    """Nobody can join any more."""
