"""The control API of what people do in customer groups."""

from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field

from simulator import grouping
from simulator.api.groups import opengid_of
from simulator.control_parts import Body, Text, ThePlatform, need_group, need_person, need_serving
from simulator.state import Customer, Json


class NewGroup(Body):
    """A member makes a group."""

    owner: str
    name: str = ""
    people: list[str] = Field(default_factory=list)


class People(Body):
    """Who joins or leaves."""

    people: list[str] = Field(min_length=1)


class Joining(People):
    """Who joins, and how: 1 invited, 2 by link, 3 by QR."""

    scene: Literal[1, 2, 3] = 1
    state: str = ""


class Leaving(People):
    """Who goes; `removed` when someone else took them out."""

    removed: bool = False


class GroupChange(Body):
    """What changes of a group; None leaves it."""

    name: str | None = None
    notice: str | None = None
    owner: str | None = None


class JoinScan(Body):
    """Someone scans a group's code; without an id a new person."""

    external_userid: str = ""
    name: Text = "新客户"


router = APIRouter(prefix="/_sim")


@router.post("/groups")
async def make_group(platform: ThePlatform, new: NewGroup) -> Json:
    """Let a member make a customer group."""
    owner = need_serving(platform, new.owner)
    people = [need_person(platform, person) for person in new.people]
    return {"chat_id": grouping.make_group(platform, owner.userid, new.name, people).chat_id}


@router.post("/groups/{chat_id}/join")
async def join_group(platform: ThePlatform, chat_id: str, joining: Joining) -> Json:
    """Let people join a group."""
    group = need_group(platform, chat_id)
    people = [need_person(platform, person) for person in joining.people]
    return {"joined": grouping.join(platform, group, people, joining.scene, joining.state)}


@router.post("/groups/{chat_id}/leave")
async def leave_group(platform: ThePlatform, chat_id: str, leaving: Leaving) -> Json:
    """Let people leave a group, or be removed from it."""
    group = need_group(platform, chat_id)
    if group.owner in leaving.people:
        raise HTTPException(409, "the owner cannot leave")
    return {"left": grouping.leave(platform, group, leaving.people, removed=leaving.removed)}


@router.post("/groups/{chat_id}/change")
async def change_group(platform: ThePlatform, chat_id: str, changed: GroupChange) -> Json:
    """Give a group another name, notice or owner in the client; one event for each."""
    group = need_group(platform, chat_id)
    owner = need_serving(platform, changed.owner).userid if changed.owner is not None else None
    if changed.name is not None:
        grouping.rename(platform, group, changed.name)
    if changed.notice is not None:
        grouping.post_notice(platform, group, changed.notice)
    if owner is not None:
        grouping.hand_over(platform, group, owner)
    return {"chat_id": chat_id}


@router.post("/groups/{chat_id}/dismiss")
async def dismiss_group(platform: ThePlatform, chat_id: str) -> Json:
    """Let the owner end a group."""
    grouping.dismiss(platform, need_group(platform, chat_id))
    return {"chat_id": chat_id}


@router.get("/groups/{chat_id}/opengid")
async def show_opengid(platform: ThePlatform, chat_id: str) -> Json:
    """Show the id by which a mini program sees a group."""
    return {"opengid": opengid_of(need_group(platform, chat_id).chat_id)}


@router.post("/join_ways/{config_id}/scan")
async def scan_join_way(platform: ThePlatform, config_id: str, scanned: JoinScan) -> Json:
    """Let someone join by a group's code: the first group with room, or a new one."""
    way = platform.world.join_ways.find(config_id)
    if way is None:
        raise HTTPException(404, "no such code")
    external_userid = scanned.external_userid or platform.new_id("wm")[:32]
    if platform.world.customers.find(external_userid) is None:
        now = platform.clock.seconds()
        platform.world.customers.put(Customer(external_userid, scanned.name, 0, agreed=True, agreed_at=now))
    body = way.body
    base_name = body["room_base_name"] if body["auto_create_room"] else None
    try:
        chat_id = grouping.admit_by_code(platform, body["chat_id_list"], external_userid, body["state"], base_name)
    except grouping.GroupsFull as error:
        raise HTTPException(409, "all groups of this code are full") from error
    if chat_id not in body["chat_id_list"]:
        way.body = {**body, "chat_id_list": [*body["chat_id_list"], chat_id]}
        platform.world.join_ways.put(way)
    return {"chat_id": chat_id, "external_userid": external_userid}
