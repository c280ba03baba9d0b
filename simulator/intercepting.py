"""敏感词 rules at work (05, 5.10): what a member may not send to customers and in customer groups."""

import re
from dataclasses import dataclass

from simulator.platform import Platform
from simulator.state import Member
from simulator.state_contacts import InterceptRule

BLOCK, WARN = 1, 2
PHONE, EMAIL, RED_PACKET = 1, 2, 3
SEMANTICS = {
    PHONE: re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"),
    EMAIL: re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    RED_PACKET: re.compile(r"红包"),
}


@dataclass(frozen=True, slots=True)
class Intercepted:
    """The rule that a member's words met."""

    rule_name: str
    blocked: bool


def find_rule(platform: Platform, sender: str, text: str) -> Intercepted | None:
    """Return the strictest rule that a member's words meet; customers are never checked."""
    member = platform.world.members.find(sender)
    if member is None:
        return None
    hits = [rule for rule in platform.world.intercept_rules.rows.values() if _meets(platform, rule, member, text)]
    if not hits:
        return None
    strictest = min(hits, key=lambda rule: rule.intercept_type)
    return Intercepted(strictest.rule_name, strictest.intercept_type == BLOCK)


def _meets(platform: Platform, rule: InterceptRule, member: Member, text: str) -> bool:
    said = any(word in text for word in rule.words) or any(SEMANTICS[kind].search(text) for kind in rule.semantics)
    return said and _covers(platform, rule, member)


def _covers(platform: Platform, rule: InterceptRule, member: Member) -> bool:
    if member.userid in rule.users:
        return True
    return any(member.department in platform.world.list_departments_below(number) for number in rule.departments)
