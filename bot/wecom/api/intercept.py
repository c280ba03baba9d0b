"""敏感词 rules: what the platform itself stops when members write to customers (05-customer-contact.md, 5.10).

The only block in real time there is. It looks at what members send, never at what a program sends, and an app edits
only its own rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated, TypeAlias

from bot.ids import StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.api.wire import FILLED, Chars, Each, Items, Name, to_body

ADD = "POST /cgi-bin/externalcontact/add_intercept_rule"
LIST = "GET /cgi-bin/externalcontact/get_intercept_rule_list"
GET = "POST /cgi-bin/externalcontact/get_intercept_rule"
UPDATE = "POST /cgi-bin/externalcontact/update_intercept_rule"
DELETE = "POST /cgi-bin/externalcontact/del_intercept_rule"

MAX_RULES = 100
MAX_WORDS = 300
MAX_WORD_CHARS = 32
_MAX_RANGE = 1000


Words: TypeAlias = Annotated[
    tuple[str, ...], Name("word_list"), Items(MAX_WORDS, least=1), Each(Chars(MAX_WORD_CHARS, least=1))
]


class InterceptType(IntEnum):
    """What happens to a message with a word of the rule."""

    BLOCK_AND_WARN = 1
    WARN = 2


class Semantics(IntEnum):
    """What the platform recognises without a word."""

    PHONE_NUMBER = 1
    EMAIL = 2
    RED_PACKET = 3


@dataclass(frozen=True, slots=True)
class RuleRange:
    """For whom a rule counts: 10,000 people at most."""

    staff_ids: Annotated[tuple[StaffId, ...], Name("user_list"), Items(_MAX_RANGE)] = ()
    department_ids: Annotated[tuple[int, ...], Name("department_list"), Items(_MAX_RANGE)] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.staff_ids and not self.department_ids:
            yield "user_list", "and department_list are both missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """A rule to be made."""

    name: Annotated[str, Name("rule_name"), Chars(20, least=1)]
    words: Words
    action: Annotated[InterceptType, Name("intercept_type")]
    range: Annotated[RuleRange, Name("applicable_range")]
    semantics: Annotated[tuple[Semantics, ...], Name("semantics_list")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEdit:
    """A rule's new name and words; the range is changed by what is added and taken away."""

    rule_id: Annotated[str, FILLED]
    name: Annotated[str, Name("rule_name"), Chars(20, least=1)]
    words: Words
    semantics: Annotated[tuple[Semantics, ...], Name("extra_rule.semantics_list")] = ()
    action: Annotated[InterceptType | None, Name("intercept_type")] = None
    add_range: Annotated[RuleRange | None, Name("add_applicable_range")] = None
    remove_range: Annotated[RuleRange | None, Name("remove_applicable_range")] = None


@dataclass(frozen=True, slots=True)
class ListedRule:
    """A rule as the platform lists it."""

    id: str
    name: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in full; `action` and `semantics` as in `InterceptType` and `Semantics`."""

    id: str
    name: str
    created_at: datetime | None
    words: tuple[str, ...]
    semantics: tuple[int, ...]
    action: int
    staff_ids: tuple[StaffId, ...]
    department_ids: tuple[int, ...]


async def add_rule(client: PlatformCalls, rule: NewRule) -> str:
    """Make a rule and return its id; 100 exist at most."""
    return Answer(ADD, await client.call(ADD, to_body(ADD, rule))).text("rule_id")


async def list_rules(client: PlatformCalls) -> tuple[ListedRule, ...]:
    """List the rules of the corp."""
    answer = Answer(LIST, await client.call(LIST))
    return tuple(
        ListedRule(item.text("rule_id"), item.text("rule_name"), item.instant("create_time"))
        for item in answer.children("rule_list")
    )


async def get_rule(client: PlatformCalls, rule_id: str) -> Rule:
    """Return a rule in full."""
    rule = Answer(GET, await client.call(GET, {"rule_id": rule_id})).child("rule")
    extra = rule.find_child("extra_rule")
    counts_for = rule.find_child("applicable_range") or Answer(GET, {})
    return Rule(
        id=rule.text("rule_id"),
        name=rule.text("rule_name"),
        created_at=rule.instant("create_time"),
        words=rule.texts("word_list"),
        semantics=extra.numbers("semantics_list") if extra else (),
        action=rule.number("intercept_type"),
        staff_ids=tuple(StaffId(staff_id) for staff_id in counts_for.texts("user_list")),
        department_ids=counts_for.numbers("department_list"),
    )


async def update_rule(client: PlatformCalls, edit: RuleEdit) -> None:
    """Change a rule that this app made."""
    await client.call(UPDATE, to_body(UPDATE, edit))


async def delete_rule(client: PlatformCalls, rule_id: str) -> None:
    """Delete a rule that this app made."""
    await client.call(DELETE, {"rule_id": rule_id})
