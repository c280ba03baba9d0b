"""The app itself, and the platform's addresses for firewalls (90227, 90930, 92520)."""

from dataclasses import dataclass

from bot.ids import StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.api.wire import join_params

GET = "GET /cgi-bin/agent/get"
CALLBACK_IPS = "GET /cgi-bin/getcallbackip"
API_IPS = "GET /cgi-bin/get_api_domain_ip"


@dataclass(frozen=True, slots=True)
class Agent:
    """An app as the platform knows it, and who may see it."""

    id: int
    name: str
    description: str
    closed: bool
    trusted_domain: str
    home_url: str
    staff_ids: tuple[StaffId, ...]
    department_ids: tuple[int, ...]
    member_tag_ids: tuple[int, ...]


async def get_agent(client: PlatformCalls, agent_id: int, *, app: str = "app") -> Agent:
    """Return the app."""
    answer = Answer(GET, await client.call(GET, params=join_params(agentid=agent_id), app=app))
    people = answer.find_child("allow_userinfos") or Answer(GET, {})
    departments = answer.find_child("allow_partys") or Answer(GET, {})
    tags = answer.find_child("allow_tags") or Answer(GET, {})
    return Agent(
        id=answer.number("agentid"),
        name=answer.text("name"),
        description=answer.text("description", ""),
        closed=answer.truth("close", False),
        trusted_domain=answer.text("redirect_domain", ""),
        home_url=answer.text("home_url", ""),
        staff_ids=tuple(StaffId(person.text("userid")) for person in people.children("user")),
        department_ids=departments.numbers("partyid"),
        member_tag_ids=tags.numbers("tagid"),
    )


async def list_callback_ips(client: PlatformCalls) -> tuple[str, ...]:
    """List the addresses callbacks come from, for the firewall in front of us; they change."""
    return Answer(CALLBACK_IPS, await client.call(CALLBACK_IPS)).texts("ip_list")


async def list_api_ips(client: PlatformCalls) -> tuple[str, ...]:
    """List the addresses of the platform's API, for the firewall on the way out; they change."""
    return Answer(API_IPS, await client.call(API_IPS)).texts("ip_list")
