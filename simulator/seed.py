"""Make the invented bank: the same seed and size give the same people, tags and groups, byte for byte."""

import base64
import hashlib
import random
from collections.abc import Callable, Sequence

from simulator.config import BankSize
from simulator.seed_names import (
    BRANCHES,
    GIVEN,
    GIVEN_PAIRS,
    GROUP_THEMES,
    POSITIONS,
    SURNAMES,
    TAG_GROUPS,
    TAG_WEIGHTS,
    name_branches,
)
from simulator.state import Customer, Department, Follow, Group, GroupMember, Member, Tag, TagGroup
from simulator.world import World

FOUNDED = 1735689600  # 2025-01-01 in UTC: the bank's first relation
SPREAD_SECONDS = 540 * 86400
RESERVED_NAMES = frozenset({"李娜", "王芳", "周敏", "陈工"})
REFUSES_ARCHIVE_EVERY = 40  # every 40th customer has not agreed to the archive
GROUP_CUSTOMERS = (15, 40)


def make_id(prefix: str, seed: int, kind: str, number: int) -> str:
    """Return a stable platform-like id of 32 characters."""
    digest = hashlib.sha256(f"{seed}:{kind}:{number}".encode()).digest()
    tail = base64.b32encode(digest).decode()[: 32 - len(prefix)]
    return prefix + tail


Progress = Callable[[str, int], None]  # what was made, and how many of it so far
TELL_EVERY = 1000


def _tell_nobody(_what: str, _count: int) -> None:
    """Make the bank in silence."""


def seed_bank(world: World, seed: int, size: BankSize, tell: Progress = _tell_nobody) -> None:
    """Fill an empty world with departments, staff, tags, customers, relations and groups.

    `tell` hears of "customers" and "groups" as they are made.
    """
    rng = random.Random(seed)  # noqa: S311 - invented people, not secrets
    branches = name_branches(size.staff)
    _seed_departments(world, branches)
    managers = _seed_staff(world, rng, size.staff, len(branches))
    tags = _seed_tags(world, seed)
    _seed_customers(world, rng, seed, size.customers, managers, tags, tell)
    _seed_groups(world, rng, seed, size.groups, managers, branches, tell)


def _seed_departments(world: World, branches: Sequence[tuple[str, str]]) -> None:
    world.departments.seed(Department(1, "示范银行", 0, 100000000))
    for position, (name, _) in enumerate(branches):
        world.departments.seed(Department(position + 2, name, 1, 100000 - position))


def _seed_staff(world: World, rng: random.Random, count: int, branches: int) -> list[Member]:
    taken = set(RESERVED_NAMES)
    managers = []
    for number in range(1, count + 1):
        name = "李娜" if number == 1 else _new_name(rng, taken)
        member = Member(
            userid=f"rm{number:03d}",
            name=name,
            department=number % branches + 2,
            position=POSITIONS[number % len(POSITIONS)],
            serves=True,
        )
        managers.append(world.members.seed(member))
    office = BRANCHES.index("总行营业部") + 2
    world.members.seed(Member("co001", "周敏", office, "合规专员", serves=False))
    world.members.seed(Member("co002", _new_name(rng, taken), office, "合规专员", serves=False))
    world.members.seed(Member("ad001", "陈工", office, "系统管理员", serves=False))
    return managers


def _seed_tags(world: World, seed: int) -> list[TagGroup]:
    groups = []
    number = 0
    for position, (name, labels) in enumerate(TAG_GROUPS):
        tags = []
        for order, label in enumerate(labels):
            number += 1
            tags.append(Tag(make_id("et", seed, "tag", number), label, len(labels) - order))
        group_id = make_id("etg", seed, "tag_group", position)
        groups.append(world.tag_groups.seed(TagGroup(group_id, name, len(TAG_GROUPS) - position, FOUNDED, tags)))
    return groups


def _seed_customers(
    world: World,
    rng: random.Random,
    seed: int,
    count: int,
    managers: list[Member],
    tags: list[TagGroup],
    tell: Progress,
) -> None:
    for number in range(count):
        if number % TELL_EVERY == 0:
            tell("customers", number)
        first = number == 0
        customer = world.customers.seed(
            Customer(
                external_userid=make_id("wm", seed, "customer", number),
                name="王芳" if first else _name_unlike(rng, RESERVED_NAMES),
                gender=2 if first else rng.choice((1, 2)),
                agreed=number % REFUSES_ARCHIVE_EVERY != REFUSES_ARCHIVE_EVERY - 1,
                agreed_at=FOUNDED,
            )
        )
        owner = managers[number % len(managers)]
        _seed_follow(world, rng, owner, customer, tags, first=first)
        if number % 12 == 5 and len(managers) > 1:
            _seed_follow(world, rng, managers[(number + 7) % len(managers)], customer, tags, first=False)
    tell("customers", count)


def _seed_follow(
    world: World, rng: random.Random, owner: Member, customer: Customer, tags: list[TagGroup], *, first: bool
) -> None:
    # the demo's first customer has fixed tags: C3 稳健型, 20–50万, 存量
    chosen = (2, 2, 1) if first else tuple(_draw(rng, weights) for weights in TAG_WEIGHTS)
    marked = [group.tags[index].id for group, index in zip(tags, chosen, strict=True) if first or rng.random() < 0.9]
    follow = Follow(
        userid=owner.userid,
        external_userid=customer.external_userid,
        createtime=FOUNDED if first else FOUNDED + rng.randrange(1, SPREAD_SECONDS),
        remark=customer.name,
        tag_ids=marked,
        add_way=rng.choice((1, 1, 1, 2, 3, 4)),
        state=f"branch-{owner.department - 1:02d}",
    )
    world.follows.seed(follow)


def _draw(rng: random.Random, weights: tuple[int, ...]) -> int:
    return rng.choices(range(len(weights)), weights)[0]


def _seed_groups(
    world: World,
    rng: random.Random,
    seed: int,
    count: int,
    managers: list[Member],
    branches: Sequence[tuple[str, str]],
    tell: Progress,
) -> None:
    colleagues: dict[int, list[Member]] = {}
    for member in managers:
        colleagues.setdefault(member.department, []).append(member)
    served: dict[str, list[Customer]] = {}
    for follow in world.follows.rows.values():
        served.setdefault(follow.userid, []).append(world.customers.rows[follow.external_userid])
    numbers: dict[str, int] = {}
    for number in range(count):
        if number % TELL_EVERY == 0:
            tell("groups", number)
        owner = managers[number % len(managers)]
        theme = GROUP_THEMES[number // len(managers) % len(GROUP_THEMES)]
        title = f"{branches[owner.department - 2][1]}{theme}"
        numbers[title] = numbers.get(title, 0) + 1
        created = FOUNDED + 86400 * (number + 1)
        world.groups.seed(
            Group(
                chat_id=make_id("wr", seed, "group", number),
                name=f"{title}{numbers[title]}群",
                owner=owner.userid,
                create_time=created,
                notice="投资有风险，入群请先阅读群公告。",
                members=_group_members(rng, owner, colleagues[owner.department], served.get(owner.userid, []), created),
                member_version=hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()[:32],
            )
        )
    tell("groups", count)


def _group_members(
    rng: random.Random, owner: Member, branch: list[Member], customers: list[Customer], created: int
) -> list[GroupMember]:
    members = [GroupMember(owner.userid, 1, created, 1, owner.name)]
    colleagues = [member for member in branch if member != owner]
    if colleagues:
        colleague = rng.choice(colleagues)
        members.append(GroupMember(colleague.userid, 1, created, 1, colleague.name))
    wanted = min(len(customers), rng.randint(*GROUP_CUSTOMERS))
    # the owner's first customer is always in: the demo counts on 王芳 in the first group
    joined = customers[:1] + rng.sample(customers[1:], max(0, wanted - 1))
    for customer in joined:
        joined_at = created + rng.randrange(60, 90 * 86400)
        members.append(GroupMember(customer.external_userid, 2, joined_at, rng.choice((1, 3)), customer.name))
    return members


def _new_name(rng: random.Random, taken: set[str]) -> str:
    name = _name_unlike(rng, taken)
    taken.add(name)
    return name


def _name_unlike(rng: random.Random, taken: set[str] | frozenset[str]) -> str:
    while True:
        given = rng.choice(GIVEN_PAIRS) if rng.random() < 0.45 else rng.choice(GIVEN)
        name = rng.choice(SURNAMES) + given
        if name not in taken:
            return name
