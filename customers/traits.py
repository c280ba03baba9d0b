"""Read a customer's risk level, tier and stage from the corp tags on their relations. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_RISK_LEVELS = ("C1", "C2", "C3", "C4", "C5")
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TagName:
    """A tag's name and the name of its group."""

    group: str
    name: str


@dataclass(frozen=True, slots=True)
class TaggedFollow:
    """The tags one member has put on a customer, and since when that member serves them."""

    tag_ids: Sequence[str]
    added_at: datetime | None


@dataclass(frozen=True, slots=True)
class TraitGroups:
    """The names of the three tag groups that carry traits."""

    risk: str = "风险评级"
    tier: str = "资产层级"
    stage: str = "客户阶段"


@dataclass(frozen=True, slots=True)
class Traits:
    """What the tags say; `None` where they say nothing. `risk_level` is "C1" to "C5"."""

    risk_level: str | None = None
    tier: str | None = None
    stage: str | None = None


def read_traits(follows: Sequence[TaggedFollow], names: Mapping[str, TagName], groups: TraitGroups) -> Traits:
    """Combine the tags of all who serve the customer.

    Where members disagree, the most cautious risk level counts (what may be offered is bounded by it); tier and stage
    are taken from whoever has served the customer for the shortest time, as the freshest knowledge.
    """
    newest_first = sorted(follows, key=lambda follow: follow.added_at or _NEVER, reverse=True)
    tags = [names[tag] for follow in newest_first for tag in follow.tag_ids if tag in names]
    risks = [level for tag in tags if tag.group == groups.risk if (level := read_risk_level(tag.name))]
    return Traits(
        risk_level=min(risks, default=None),
        tier=next((tag.name for tag in tags if tag.group == groups.tier), None),
        stage=next((tag.name for tag in tags if tag.group == groups.stage), None),
    )


def read_risk_level(tag_name: str) -> str | None:
    """Return "C1" to "C5" from a tag such as 「C3 平衡型」 or 「c3平衡型」; `None` for anything else."""
    start = tag_name.strip()[:2].upper()
    return start if start in _RISK_LEVELS else None
