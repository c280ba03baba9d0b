"""The control API of what people do around the app: robots, pictures, moments, links, pages with the JS-SDK."""

import base64
import binascii
import hashlib
import hmac
from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field

from simulator import acquiring
from simulator.api.media import keep_upload
from simulator.api.moments import find_task
from simulator.api.tickets import AGENT, CORP
from simulator.control_parts import Body, Text, ThePlatform, need_member, need_person
from simulator.platform import Platform, Upload
from simulator.relations import AlreadyFriends, Meeting
from simulator.state import Json
from simulator.state_apps import Robot
from simulator.state_contacts import AcquisitionLink, Moment, MomentReaction, MomentTask


class NewRobot(Body):
    """Someone adds a robot to a group, of the app or of customers; without one to a group of its own."""

    chat_id: str = ""
    name: str = "消息推送"
    allowed: bool = True


class NewMedia(Body):
    """A phone uploads a file; `jssdk` when a page did it."""

    type: Literal["image", "voice", "video", "file"]
    filename: Text
    content_base64: str
    jssdk: bool = False


class Publication(Body):
    """A member publishes."""

    userid: str


class Reaction(Publication):
    """Someone likes or comments on what a member published."""

    person: str
    like: bool = False


class LinkVisit(Body):
    """Someone follows a link; `adds` when it becomes a customer."""

    adds: bool = True
    name: str = ""
    external_userid: str = ""
    customer_channel: str = Field(default="", max_length=64)


class Balance(Body):
    """How much of the balance is used up or bought."""

    spent: int = Field(default=0, ge=0, le=100_000)
    bought: int = Field(default=0, ge=0, le=100_000)


class JsConfig(Body):
    """What a page hands to `config` (corp) or `agentConfig` (agent_config)."""

    kind: Literal["corp", "agent_config"]
    url: Text
    noncestr: Text
    timestamp: int
    signature: str


router = APIRouter(prefix="/_sim")


@router.post("/robots")
async def make_robot(platform: ThePlatform, new: NewRobot) -> Json:
    """Add a robot to a group and show its key."""
    world = platform.world
    known = new.chat_id in world.groups.rows or new.chat_id in world.appchats.rows
    if new.chat_id and not known:
        raise HTTPException(404, "no such group")
    robot = Robot(platform.new_id("key"), new.chat_id or platform.new_id("chat"), new.name, new.allowed)
    world.robots.put(robot)
    return {"key": robot.key, "chat_id": robot.chat_id}


@router.post("/robots/{key}/remove")
async def remove_robot(platform: ThePlatform, key: str) -> Json:
    """Take a robot out of its group: its key is dead."""
    robot = platform.world.robots.find(key)
    if robot is None:
        raise HTTPException(404, "no such robot")
    robot.removed = True
    platform.world.robots.put(robot)
    return {"ok": True}


@router.post("/media")
async def upload(platform: ThePlatform, new: NewMedia) -> Json:
    """Upload a file from a phone, for a message to the app or from a page."""
    try:
        content = base64.b64decode(new.content_base64, validate=True)
    except binascii.Error as error:
        raise HTTPException(409, "content_base64 is not base64") from error
    given = Upload(new.filename, "application/octet-stream", content)
    return {"media_id": keep_upload(platform, given, new.type, "jssdk" if new.jssdk else "").media_id}


# moments


@router.post("/moments/{moment_id}/publish")
async def publish(platform: ThePlatform, moment_id: str, published: Publication) -> Json:
    """Let a member publish the corp's moment by hand."""
    moment, task = _need_part(platform, moment_id, published.userid)
    if moment.cancelled:
        raise HTTPException(409, "the moment was cancelled")
    if task.published_at:
        raise HTTPException(409, "published already")
    task.published_at = platform.clock.seconds()
    platform.world.moments.put(moment)
    return {"customers": len(task.customers)}


def _need_part(platform: Platform, moment_id: str, userid: str) -> tuple[Moment, MomentTask]:
    moment = platform.world.moments.find(moment_id)
    task = find_task(moment.tasks, need_member(platform, userid).userid) if moment is not None else None
    if moment is None or task is None:
        raise HTTPException(404, "this member has no such moment")
    return moment, task


@router.post("/moments/{moment_id}/reactions")
async def react(platform: ThePlatform, moment_id: str, reaction: Reaction) -> Json:
    """Let someone like a moment or write under it."""
    moment, task = _need_part(platform, moment_id, reaction.userid)
    person = need_person(platform, reaction.person)
    if not task.published_at or person not in {*task.customers, task.userid}:
        raise HTTPException(409, "this person does not see the moment")
    task.reactions.append(MomentReaction(person, reaction.like, platform.clock.seconds()))
    platform.world.moments.put(moment)
    return {"ok": True}


# links of 获客助手


@router.post("/links/{link_id}/visit")
async def visit_link(platform: ThePlatform, link_id: str, visit: LinkVisit) -> Json:
    """Let someone follow a link and, if asked, become a customer of its first member."""
    link = _need_link(platform, link_id)
    link.clicks.append(platform.clock.seconds())
    platform.world.links.put(link)
    if not visit.adds:
        return {"external_userid": None, "userid": None, "welcome_code": None}
    if acquiring.balance_of(platform) <= 0:
        raise HTTPException(409, "the balance is used up")
    try:
        meeting = Meeting(visit.name, visit.external_userid, visit.customer_channel)
        follow, code = acquiring.acquire(platform, link, meeting)
    except AlreadyFriends as error:
        raise HTTPException(409, "the two are friends already") from error
    return {"external_userid": follow.external_userid, "userid": follow.userid, "welcome_code": code}


def _need_link(platform: Platform, link_id: str) -> AcquisitionLink:
    link = platform.world.links.find(link_id)
    if link is None:
        raise HTTPException(404, "no such link")
    if not acquiring.list_people(platform, link):
        raise HTTPException(409, "nobody behind this link serves customers")
    return link


@router.post("/links/balance")
async def change_balance(platform: ThePlatform, balance: Balance) -> Json:
    """Use up or buy customers; below 20, at nothing and on buying the corp is told."""
    if balance.spent:
        acquiring.spend(platform, balance.spent)
    if balance.bought:
        acquiring.buy(platform, balance.bought)
    return {"balance": acquiring.balance_of(platform)}


# pages with the JS-SDK


@router.post("/jssdk/check")
async def check_js_config(platform: ThePlatform, given: JsConfig) -> Json:
    """Judge a page's signature as the client does: 0, 42012 for the other kind's ticket, else 40093."""
    for kind in (given.kind, AGENT if given.kind == CORP else CORP):
        ticket = platform.world.js_tickets.find(kind)
        if ticket is None or ticket.expires_at <= platform.clock.now():
            continue
        page = given.url.partition("#")[0]
        signed = f"jsapi_ticket={ticket.ticket}&noncestr={given.noncestr}&timestamp={given.timestamp}&url={page}"
        # the platform's own scheme is SHA-1
        digest = hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
        if hmac.compare_digest(digest, given.signature.lower()):
            return {"errcode": 0 if kind == given.kind else 42012}
    return {"errcode": 40093}
