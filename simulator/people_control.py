"""The control API of what people do with each other: members, customers, tags. Each causes its documented event."""

from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field

from simulator import app_control, departing, group_control, transferring
from simulator.announcing import announce, announce_customer
from simulator.api.contact_ways import SEVERAL
from simulator.api.tags import find_tag, remove_tag, rename
from simulator.broadcasting import send_own
from simulator.control_parts import Body, Id, Text, ThePlatform, need_customer, need_follow, need_member, need_serving
from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.relations import BY_CUSTOMER, BY_MEMBER, AlreadyFriends, Meeting, befriend, confirm_half, part
from simulator.state import Department, Json, Member, Tag, TagGroup
from simulator.views import show_target


class NewMember(Body):
    """Someone joins the corp."""

    userid: Id
    name: Text
    department: int = 1
    position: str = ""
    serves: bool = True


class MemberChange(Body):
    """What changes of a member; None leaves it."""

    name: str | None = None
    department: int | None = None
    position: str | None = None
    new_userid: Id | None = None
    serves: bool | None = None
    licensed: bool | None = None
    visible: bool | None = None


class NewDepartment(Body):
    """A department is made."""

    name: Text
    parentid: int = 1


class DepartmentChange(Body):
    """What changes of a department; None leaves it."""

    name: str | None = None
    parentid: int | None = None


class Pair(Body):
    """One member and one customer."""

    userid: str
    external_userid: str


class HalfMeeting(Body):
    """Someone adds a member by a code that asks nobody."""

    userid: str
    name: str = ""
    external_userid: str = ""
    state: str = ""


class Scan(Body):
    """Someone scans a code; without an id a new person."""

    name: str = ""
    external_userid: str = ""


class Edit(Pair):
    """What a member writes about a customer; None leaves it."""

    remark: str | None = None
    description: str | None = None
    add_tag: list[str] = Field(default_factory=list)
    remove_tag: list[str] = Field(default_factory=list)


class Consent(Pair):
    """Whether a customer agrees to the archive."""

    agreed: bool = True


class NewTags(Body):
    """An administrator makes a group of tags in the console."""

    group_name: Text
    tags: list[str] = Field(min_length=1)


class TagChange(Body):
    """What changes of a tag or group; None leaves it."""

    name: str | None = None
    order: int | None = None


class Refusal(Body):
    """A customer refuses a transfer."""

    external_userid: str


class OwnBroadcast(Body):
    """A member broadcasts by hand."""

    userid: str
    text: Text
    external_userids: list[str] = Field(default_factory=list)
    chat_ids: list[str] = Field(default_factory=list)


router = APIRouter(prefix="/_sim")


# members and departments


@router.post("/members")
async def hire(platform: ThePlatform, new: NewMember) -> Json:
    """Let someone join the corp."""
    if platform.world.find_member(new.userid) is not None:
        raise HTTPException(409, "a member has this id")
    _need_department(platform, new.department)
    departing.hire(platform, Member(new.userid, new.name, new.department, new.position, serves=new.serves))
    return {"userid": new.userid}


@router.post("/members/{userid}/change")
async def change_member(platform: ThePlatform, userid: str, changed: MemberChange) -> Json:
    """Change a member in the console."""
    member = need_member(platform, userid)
    if changed.department is not None:
        _need_department(platform, changed.department)
    if changed.new_userid is not None and platform.world.find_member(changed.new_userid) is not None:
        raise HTTPException(409, "a member has this id")
    moved = changed.department not in {None, member.department}
    for name in ("name", "department", "position", "serves", "licensed", "visible"):
        value = getattr(changed, name)
        if value is not None:
            setattr(member, name, value)
    departing.change(platform, member, changed.new_userid, moved=moved)
    return {"userid": member.userid}


@router.post("/members/{userid}/leave")
async def fire(platform: ThePlatform, userid: str) -> Json:
    """Let a member leave the corp; customers and groups wait for a successor."""
    return {"customers": departing.leave(platform, need_member(platform, userid))}


def _need_department(platform: Platform, number: int) -> Department:
    department = platform.world.departments.find(str(number))
    if department is None:
        raise HTTPException(404, "no such department")
    return department


@router.post("/departments")
async def make_department(platform: ThePlatform, new: NewDepartment) -> Json:
    """Make a department."""
    _need_department(platform, new.parentid)
    rows = platform.world.departments
    number = max(row.id for row in rows.rows.values()) + 1
    row = rows.put(Department(number, new.name, new.parentid, 100_000 - number))
    announce(platform, "change_contact", "create_party", **_party(row))
    return {"id": number}


@router.post("/departments/{number}/change")
async def change_department(platform: ThePlatform, number: int, changed: DepartmentChange) -> Json:
    """Rename or move a department."""
    row = _need_department(platform, number)
    if changed.parentid is not None:
        if changed.parentid in platform.world.list_departments_below(number):
            raise HTTPException(409, "a department cannot be below itself")
        row.parentid = _need_department(platform, changed.parentid).id
    row.name = changed.name or row.name
    platform.world.departments.put(row)
    announce(platform, "change_contact", "update_party", **_party(row))
    return {"id": number}


@router.post("/departments/{number}/remove")
async def remove_department(platform: ThePlatform, number: int) -> Json:
    """Remove an empty department."""
    row = _need_department(platform, number)
    below = platform.world.list_departments_below(number)
    if len(below) > 1 or any(member.department == number for member in platform.world.members.rows.values()):
        raise HTTPException(409, "the department is not empty")
    platform.world.departments.remove(str(number))
    announce(platform, "change_contact", "delete_party", Id=row.id)
    return {"id": number}


def _party(row: Department) -> Json:
    return {"Id": row.id, "Name": row.name, "ParentId": row.parentid, "Order": row.order}


# customers


@router.post("/customers/half_add")
async def half_add(platform: ThePlatform, met: HalfMeeting) -> Json:
    """Let someone become a half-friend: added, and not yet confirmed by the member."""
    meeting = Meeting(met.name, met.external_userid, met.state, half=True)
    return _befriend(platform, need_serving(platform, met.userid), meeting)


def _befriend(platform: Platform, member: Member, meeting: Meeting) -> Json:
    try:
        follow, code = befriend(platform, member, meeting)
    except AlreadyFriends as error:
        raise HTTPException(409, "the two are friends already") from error
    return {"userid": follow.userid, "external_userid": follow.external_userid, "welcome_code": code}


@router.post("/customers/confirm")
async def confirm_customer(platform: ThePlatform, pair: Pair) -> Json:
    """Let a member confirm a half-friend."""
    follow = need_follow(platform, pair.userid, pair.external_userid)
    if not follow.half:
        raise HTTPException(409, "confirmed already")
    confirm_half(platform, follow)
    return {"ok": True}


@router.post("/customers/part")
async def delete_member(platform: ThePlatform, pair: Pair) -> Json:
    """Let a customer delete or block a member."""
    part(platform, need_follow(platform, pair.userid, pair.external_userid), BY_CUSTOMER)
    return {"ok": True}


@router.post("/customers/delete")
async def delete_customer(platform: ThePlatform, pair: Pair) -> Json:
    """Let a member delete a customer."""
    part(platform, need_follow(platform, pair.userid, pair.external_userid), BY_MEMBER)
    return {"ok": True}


@router.post("/customers/edit")
async def edit_customer(platform: ThePlatform, edited: Edit) -> Json:
    """Let a member change remark, description or tags in the client."""
    follow = need_follow(platform, edited.userid, edited.external_userid)
    follow.remark = edited.remark if edited.remark is not None else follow.remark
    follow.description = edited.description if edited.description is not None else follow.description
    for tag_id in [*edited.add_tag, *edited.remove_tag]:
        _find_tag(platform, tag_id)
    kept = [tag for tag in follow.tag_ids if tag not in edited.remove_tag]
    follow.tag_ids = list(dict.fromkeys([*kept, *edited.add_tag]))
    platform.world.follows.put(follow)
    announce_customer(platform, "edit_external_contact", follow)
    return {"ok": True}


@router.post("/customers/consent")
async def consent(platform: ThePlatform, given: Consent) -> Json:
    """Let a customer agree to the archive or withdraw; only agreeing is called back."""
    follow = need_follow(platform, given.userid, given.external_userid)
    customer = need_customer(platform, given.external_userid)
    customer.agreed, customer.agreed_at = given.agreed, platform.clock.seconds()
    platform.world.customers.put(customer)
    if given.agreed:
        announce_customer(platform, "msg_audit_approved", follow)
    return {"ok": True}


@router.post("/contact_ways/{config_id}/scan")
async def scan_contact_way(platform: ThePlatform, config_id: str, scanned: Scan) -> Json:
    """Let someone scan a 渠道活码: one of its members gets a customer, at once or as a half-friend."""
    way = platform.world.contact_ways.find(config_id)
    if way is None:
        raise HTTPException(404, "no such code")
    members = _list_people(platform, way.body["user"], way.body["party"])
    if not members:
        raise HTTPException(409, "nobody behind this code serves customers")
    member = _choose(platform, members, way.body, scanned.external_userid)
    meeting = Meeting(scanned.name, scanned.external_userid, way.body["state"], half=way.body["skip_verify"])
    return _befriend(platform, member, meeting)


def _list_people(platform: Platform, users: list[str], parties: list[int]) -> list[Member]:
    world = platform.world
    below = {number for root in parties for number in world.list_departments_below(root)}
    return [
        row for row in world.members.rows.values() if row.serves and (row.userid in users or row.department in below)
    ]


def _choose(platform: Platform, members: list[Member], way: Json, external_userid: str) -> Member:
    """Return whom a code leads to: who serves the customer already when it is exclusive, else one after the other."""
    serving = {follow.userid for follow in platform.world.list_followers_of(external_userid)}
    known = [member for member in members if member.userid in serving]
    if way["is_exclusive"] and known:
        return known[0]
    turn = platform.world.next_number("contact_way_turn") if way["type"] == SEVERAL else 0
    return members[turn % len(members)]


@router.post("/transfers/refuse")
async def refuse_transfer(platform: ThePlatform, refused: Refusal) -> Json:
    """Let a customer refuse the transfer that is waiting."""
    rows = transferring.list_transfers(platform, [refused.external_userid])[refused.external_userid]
    waiting = [row for row in rows if row.status == transferring.WAITING]
    if not waiting:
        raise HTTPException(404, "this customer is not being transferred")
    transferring.refuse(platform, waiting[0])
    return {"userid": waiting[0].takeover}


@router.post("/groupmsgs/own")
async def broadcast_by_hand(platform: ThePlatform, own: OwnBroadcast) -> Json:
    """Let a member broadcast by hand: it counts against the same quota and is listed as personal."""
    member = need_serving(platform, own.userid)
    if bool(own.external_userids) == bool(own.chat_ids):
        raise HTTPException(409, "either customers or groups")
    chat_type = "group" if own.chat_ids else "single"
    names = own.chat_ids or own.external_userids
    broadcast, task = send_own(platform, member.userid, chat_type, names, own.text)
    return {"msgid": broadcast.msgid, "results": [show_target(target) for target in task.targets]}


# corp tags in the console


@router.post("/corp_tags")
async def make_tags(platform: ThePlatform, new: NewTags) -> Json:
    """Let an administrator make a group of tags."""
    now = platform.clock.seconds()
    tags = [Tag(platform.new_id("et")[:32], name, 0, now) for name in new.tags]
    group = platform.world.tag_groups.put(TagGroup(platform.new_id("etg")[:32], new.group_name, 0, now, tags))
    _announce_tag(platform, "create", group.group_id, "tag_group")
    for tag in tags:
        _announce_tag(platform, "create", tag.id, "tag")
    return {"group_id": group.group_id, "tag_ids": [tag.id for tag in tags]}


def _announce_tag(platform: Platform, change: str, tag_id: str, kind: Literal["tag", "tag_group"]) -> None:
    announce(platform, "change_external_tag", change, Id=tag_id, TagType=kind)


def _find_tag(platform: Platform, tag_id: str) -> tuple[TagGroup, Tag | None]:
    try:
        return find_tag(platform, tag_id)
    except ApiError as error:
        raise HTTPException(404, "no such tag") from error


@router.post("/corp_tags/{tag_id}/change")
async def change_tag(platform: ThePlatform, tag_id: str, changed: TagChange) -> Json:
    """Let an administrator rename or move a tag or group."""
    group, tag = _find_tag(platform, tag_id)
    row: Tag | TagGroup = tag or group
    rename(row, changed.name or "")
    row.order = changed.order if changed.order is not None else row.order
    platform.world.tag_groups.put(group)
    _announce_tag(platform, "update", tag_id, "tag" if tag is not None else "tag_group")
    return {"id": tag_id}


@router.post("/corp_tags/{tag_id}/remove")
async def delete_tag(platform: ThePlatform, tag_id: str) -> Json:
    """Let an administrator remove a tag, or a group: for its tags no events follow."""
    group, tag = _find_tag(platform, tag_id)
    remove_tag(platform, group, tag)
    _announce_tag(platform, "delete", tag_id, "tag" if tag is not None else "tag_group")
    return {"id": tag_id}


@router.post("/corp_tags/shuffle")
async def shuffle_tags(platform: ThePlatform) -> Json:
    """Let an administrator change the order of all tags."""
    for order, group in enumerate(reversed(platform.world.tag_groups.rows.values())):
        group.order = order
        platform.world.tag_groups.put(group)
    announce(platform, "change_external_tag", "shuffle", Id="", TagType="tag_group")
    return {"ok": True}


router.routes.extend([*group_control.router.routes, *app_control.router.routes])
