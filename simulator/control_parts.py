"""What the modules of the control API share: the platform of a request, and people and things that must exist."""

from typing import Annotated

from fastapi import Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from simulator.platform import Platform, platform_of
from simulator.state import Customer, Follow, Group, Member

ThePlatform = Annotated[Platform, Depends(platform_of)]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_.@-]{1,64}$")]


class Body(BaseModel):
    """A body in which a mistyped field is refused."""

    model_config = ConfigDict(extra="forbid")


def need_member(platform: Platform, userid: str) -> Member:
    """Return a member, or answer 404."""
    member = platform.world.find_member(userid)
    if member is None:
        raise HTTPException(404, "no such member")
    return member


def need_serving(platform: Platform, userid: str) -> Member:
    """Return a member who serves customers, or answer 404 or 409."""
    member = need_member(platform, userid)
    if not member.serves:
        raise HTTPException(409, "this member serves no customers")
    return member


def need_customer(platform: Platform, external_userid: str) -> Customer:
    """Return a customer, or answer 404."""
    customer = platform.world.customers.find(external_userid)
    if customer is None:
        raise HTTPException(404, "no such customer")
    return customer


def need_follow(platform: Platform, userid: str, external_userid: str) -> Follow:
    """Return the living relation of two, or answer 404."""
    follow = platform.world.find_follow(need_member(platform, userid).userid, external_userid)
    if follow is None:
        raise HTTPException(404, "the two have no relation")
    return follow


def need_group(platform: Platform, chat_id: str) -> Group:
    """Return a customer group, or answer 404."""
    group = platform.world.groups.find(chat_id)
    if group is None:
        raise HTTPException(404, "no such group")
    return group


def need_person(platform: Platform, person: str) -> str:
    """Return the id of a member or customer as the bank spells it, or answer 404."""
    member = platform.world.find_member(person)
    return member.userid if member is not None else need_customer(platform, person).external_userid
