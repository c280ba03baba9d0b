"""What a manager wants to broadcast, gathered from one or several messages. Pure.

「明天上午十点给我的客户群发大额存单话术」 holds a time, an audience and a topic. What is missing or unclear is named as
a gap, and the next message is read as the answer to it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.json import JSON
from handlers.slots import Slot, SlotType, find_slots
from handlers.times import CHINA, TimeExpression, TimeKind, find_times

ALL_GROUPS = ""  # as `GroupAudience.name_contains`: every group of the manager's own


class Gap(StrEnum):
    """What stands in the way of a draft."""

    TIME = "time"
    HOUR = "hour"
    PAST = "past"
    MOMENT = "moment"
    RECURRING = "recurring"
    AUDIENCE = "audience"
    SEGMENT = "segment"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class BroadcastWish:
    """What is known so far. `send_on` is a day that still wants an hour.

    `audience` is a part of group names, `ALL_GROUPS`, or `None` while unknown; `topic` are the words to look a script
    up with, `script_id` the script once it is chosen.
    """

    send_at: datetime | None = None
    send_on: datetime | None = None
    audience: str | None = None
    topic: str | None = None
    script_id: str | None = None
    time_gap: Gap | None = None
    wants_segment: bool = False

    def as_json(self) -> dict[str, JSON]:
        """Return the wish as it is kept between two messages."""
        return {
            "send_at": self.send_at.isoformat() if self.send_at else None,
            "send_on": self.send_on.isoformat() if self.send_on else None,
            "audience": self.audience,
            "topic": self.topic,
            "script_id": self.script_id,
        }

    @classmethod
    def from_json(cls, known: Mapping[str, JSON]) -> "BroadcastWish":
        """Read what `as_json` wrote."""
        return cls(
            send_at=_instant(known.get("send_at")),
            send_on=_instant(known.get("send_on")),
            audience=_text(known.get("audience")),
            topic=_text(known.get("topic")),
            script_id=_text(known.get("script_id")),
        )


_NOW = re.compile(r"(?:现在|马上|立刻|立即|这就|即刻)(?=就|给|往|向|把|发|群|$|，|,)")
_OWN_GROUPS = re.compile(
    r"(?:我的?|名下的?|自己的?)(?:所有的?|全部的?|各个)?(?:客户)?群|(?:所有|全部|各个?|每个)的?(?:客户)?群|(?:给|往|到|在|向)(?:客户)?群(?:里|发)?|"
    r"群发(?:给|到)?(?:我的)?(?:所有|全部)?(?:客户|大家)|客户群|我的(?:所有|全部)?客户(?!群)|(?:两|几|二|三)个群|我的群|都发"
)
_TOPIC_NOISE = re.compile(
    r"@\S+\s|请|帮我|帮忙|麻烦|给我|我想要?|我要|想|要|安排|建个?|新建|创建|设置|设个|定个|定时|一个|一次|一下|一条|一遍|任务|群发|发送|发给|发到|"
    r"推送给?|推给|推一下|推|发一下|发出去|发|通知(?=给)|话术|文案|消息|内容|给|往|向|把|到|在|里面?|里|的|了|吧|和|下|关于|对象|主题是?|"
    r"客户群|所有|全部|大家|群|[，,。.：:！!？?\s“”\"]"
)
_SENT_TO = re.compile(r"(?:给|往|向|到|在|对)(?P<group>[^，,。给往向到在对]{2,14}?群)里?(?=发|推|群发)")
_BY_TAG = re.compile(r"标签|客群|客户(?!群)|好友")
_CANCEL = re.compile(r"^(?:取消|算了|不发了|先不发了?|不用了|不要了|别发了?|停)[吧了。！!]*$")
_CONFIRM = re.compile(r"^(?:确认|确定|确认发送|好的?|可以|行|是的?|没问题|发吧|ok|同意|嗯+|对)[吧了的。！!]*$", re.I)


def is_cancel(text: str) -> bool:
    """Tell whether the words call the plan off."""
    return bool(_CANCEL.match(text.strip()))


def is_confirm(text: str) -> bool:
    """Tell whether the words agree."""
    return bool(_CONFIRM.match(text.strip()))


def read_wish(text: str, now: datetime) -> BroadcastWish:
    """Read a whole request."""
    wish = read_time(BroadcastWish(), text, now)
    slots = find_slots(text, now)
    group = _named_group(text, slots)
    if group is not None:
        wish = replace(wish, audience=group)
    elif _names_segment(text, slots):
        wish = replace(wish, wants_segment=True)
    elif _OWN_GROUPS.search(text):
        wish = replace(wish, audience=ALL_GROUPS)
    return replace(wish, topic=_topic(text, now, group))


def read_time(wish: BroadcastWish, text: str, now: datetime) -> BroadcastWish:
    """Add the time said in `text`, or the gap it leaves. A bare hour completes a day known before."""
    if _NOW.search(text):
        return replace(wish, send_at=now, send_on=None, time_gap=None)
    found = find_times(text, now)
    chosen = next((one for one in found if one.kind is TimeKind.AT), found[0] if found else None)
    if chosen is None:
        return wish
    return _with_time(wish, chosen, now)


def read_audience(wish: BroadcastWish, text: str) -> BroadcastWish:
    """Take `text` as the answer to "which groups"."""
    if _OWN_GROUPS.search(text) or re.fullmatch(r"(?:所有|全部|都发?|全发|都要?)[的吧。]*", text.strip()):
        return replace(wish, audience=ALL_GROUPS)
    return replace(wish, audience=text.strip(' 。，「」“”"发给'))


def join_wishes(known: BroadcastWish, said: BroadcastWish) -> BroadcastWish:
    """Return what is known after a second message; what it says anew counts, what it leaves out stays."""
    timed = said.send_at or said.send_on or said.time_gap
    return BroadcastWish(
        send_at=said.send_at if timed else known.send_at,
        send_on=said.send_on if timed else known.send_on,
        audience=said.audience if said.audience is not None else known.audience,
        topic=said.topic or known.topic,
        script_id=None if said.topic else known.script_id,
        time_gap=said.time_gap,
        wants_segment=said.wants_segment,
    )


def match_groups(audience: str, names: Sequence[str]) -> Sequence[str]:
    """Return the group names meant by `audience`: all, those containing it, or those with its letters in order.

    「城东理财群」 means 「城东理财交流1群」 when there is no nearer name.
    """
    wanted = audience.casefold()
    containing = [name for name in names if wanted in name.casefold()]
    if containing:
        return containing
    return [name for name in names if _is_inside(wanted, name.casefold())]


def _is_inside(wanted: str, name: str) -> bool:
    letters = iter(name)
    return len(wanted) >= 3 and all(letter in letters for letter in wanted)


def next_gap(wish: BroadcastWish) -> Gap | None:
    """Return what must be asked next, in the order a person would ask it; `None` when nothing is missing."""
    if wish.time_gap is not None:
        return wish.time_gap
    if wish.send_at is None:
        return Gap.HOUR if wish.send_on else Gap.TIME
    if wish.audience is None:
        return Gap.SEGMENT if wish.wants_segment else Gap.AUDIENCE
    if wish.script_id is None and not wish.topic:
        return Gap.SCRIPT
    return None


def _with_time(wish: BroadcastWish, found: TimeExpression, now: datetime) -> BroadcastWish:
    if found.kind is TimeKind.RECURRING:
        return replace(wish, time_gap=Gap.RECURRING)
    if found.kind is TimeKind.RANGE:
        return replace(wish, time_gap=Gap.MOMENT)
    if found.kind is TimeKind.ON and found.on is not None:
        day = datetime.combine(found.on, datetime.min.time(), CHINA)
        if day + timedelta(days=1) <= now:
            return replace(wish, time_gap=Gap.PAST, send_on=day)
        return replace(wish, send_on=day, send_at=None, time_gap=None)
    if found.at is None:
        return wish
    at = _on_known_day(found, wish)
    if at < now:
        return replace(wish, time_gap=Gap.PAST, send_on=at)
    return replace(wish, send_at=at, send_on=None, time_gap=None)


def _on_known_day(found: TimeExpression, wish: BroadcastWish) -> datetime:
    """Join an hour said alone with the day said before it."""
    at = found.at or datetime.min.replace(tzinfo=CHINA)
    if wish.send_on is None or re.search(r"[天日号明后今周月]|星期|礼拜", found.text):
        return at
    return datetime.combine(wish.send_on.astimezone(CHINA).date(), at.astimezone(CHINA).time(), CHINA)


def _topic(text: str, now: datetime, group: str | None) -> str | None:
    rest = text.replace(group, "") if group else text
    for expression in reversed(find_times(rest, now)):
        rest = rest[: expression.start] + rest[expression.end :]
    rest = _TOPIC_NOISE.sub("", _NOW.sub("", _OWN_GROUPS.sub("", rest)))
    return rest if len(rest) >= 2 else None


def _named_group(text: str, slots: Sequence[Slot]) -> str | None:
    said = [match["group"] for match in _SENT_TO.finditer(text)]
    said += [slot.text for slot in slots if slot.type is SlotType.GROUP]
    return next((name for name in said if "群" not in name[:-1] and not _is_general(name)), None)


def _is_general(group: str) -> bool:
    return bool(_OWN_GROUPS.fullmatch(group)) or group in {"客户群", "我的群", "群里"} or group.endswith("个群")


def _names_segment(text: str, slots: Sequence[Slot]) -> bool:
    tagged = any(slot.type is SlotType.TAG for slot in slots)
    return tagged and bool(_BY_TAG.search(text)) and "群" not in text.replace("群发", "")


def _instant(value: JSON) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) else None
