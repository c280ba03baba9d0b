"""What the assistant did with one message, told in six steps from the inbox row, its trace and its outbox rows. Pure.

The trace is a list of `{"step": name, **facts}` written by handlers. `intent` and `script` are told in their own way;
any other step is shown with its facts as they are, so that a new handler's note is never lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.inbox.models import InboxRow, InboxState
from bot.outbox.models import OutboxRow, OutboxState
from console import words
from console.i18n import N_
from console.words import Tone, Word

_EVENT = {
    "app": N_("企业微信应用消息"),
    "kf": N_("微信客服消息"),
    "archive": N_("会话存档里的消息"),
    "aibot": N_("群里@机器人的消息"),
}
_LONGEST_KEY = 28
_OPEN = {OutboxState.QUEUED, OutboxState.SENDING, OutboxState.UNCERTAIN}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a step: a label of the catalogue and a value. `is_data` marks what is not ours to translate."""

    label: str
    value: str
    is_data: bool = False
    href: str | None = None


@dataclass(frozen=True, slots=True)
class StoryFinding:
    """A place the gate pointed at."""

    term: str
    rule_id: str
    category: str
    action: Word
    lexicon_version: str


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step. `name` is stable for tests; `word` is the state it ended in."""

    name: str
    title: str
    tone: Tone = "info"
    word: Word | None = None
    facts: tuple[Fact, ...] = ()
    findings: tuple[StoryFinding, ...] = ()
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """The steps so far; `done` when nothing more will come."""

    steps: tuple[StoryStep, ...] = ()
    done: bool = False
    milliseconds: int | None = field(default=None)


def tell_story(row: InboxRow, sent: Sequence[OutboxRow]) -> Story:
    """Tell what happened to one event and to the replies it caused."""
    steps = [_event_step(row), *_trace_steps(row.trace or []), *_evidence_steps(sent, row.trace or [])]
    for reply in sent:
        steps.extend(_reply_steps(reply))
    finished = row.state in {InboxState.DONE, InboxState.FAILED}
    if finished and not sent:
        steps.append(StoryStep("silent", N_("回复"), "", facts=(Fact(N_("结果"), N_("这条消息不需要回复")),)))
    ends = [reply.sent_at for reply in sent if reply.sent_at]
    last = max(ends) if ends else None
    return Story(
        steps=tuple(steps),
        done=finished and not any(reply.state in _OPEN for reply in sent),
        milliseconds=round((last - row.received_at).total_seconds() * 1000) if last else None,
    )


def _event_step(row: InboxRow) -> StoryStep:
    word = words.word(words.INBOX_STATES, row.state)
    facts = [
        Fact(N_("来自"), _EVENT.get(row.source, row.source)),
        Fact(N_("类型"), row.event_type, is_data=True),
        Fact(N_("收件箱"), f"#{row.id} · {_short(row.dedupe_key)}", is_data=True),
    ]
    if row.attempts > 1:
        facts.append(Fact(N_("尝试次数"), str(row.attempts)))
    if row.error:
        facts.append(Fact(N_("原因"), row.error, is_data=True))
    return StoryStep("event", N_("收到事件"), word.tone or "info", word, tuple(facts))


def _trace_steps(trace: Sequence[Mapping[str, Any]]) -> Iterator[StoryStep]:
    for note in trace:
        name = str(note.get("step", ""))
        if name == "intent":
            yield _intent_step(note)
        elif name == "script":
            yield _script_step(note)
        elif name != "event":  # the first step tells the event already
            yield StoryStep(name or "note", _STEP_TITLES.get(name, name), "", facts=_other_facts(note))


_STEP_TITLES = {
    "route": N_("交给处理器"),
    "draft": N_("检查草稿"),
    "customers": N_("查客户"),
    "tasks": N_("查待办"),
    "broadcast": N_("群发"),
    "question": N_("反问确认"),
    "decision": N_("判断"),
    "handover": N_("转人工"),
    "suggestion": N_("给客户经理建议回复"),
    "script_incomplete": N_("话术缺要素"),
    "plans": N_("启动计划"),
    "opted_out": N_("客户退订"),
    "aibot": N_("群机器人"),
    "error": N_("出错"),
}


def _intent_step(note: Mapping[str, Any]) -> StoryStep:
    name = str(note.get("name", ""))
    label = words.INTENTS.get(name)
    facts = [Fact(N_("意图"), label) if label else Fact(N_("意图"), name, is_data=True), *_confidence(note)]
    alike = [str(why).removeprefix("like: ") for why in note.get("why") or () if str(why).startswith("like: ")]
    if alike:
        facts.append(Fact(N_("像是"), "、".join(alike), is_data=True))
    # the other grounds are the classifier's own English names for its cues: for developers, not for this page
    rest = {key: value for key, value in note.items() if key not in {"name", "confidence", "why"}}
    return StoryStep("intent", N_("理解意图"), "info", facts=(*facts, *_other_facts(rest)))


def _script_step(note: Mapping[str, Any]) -> StoryStep:
    """Tell what the library answered; without an id nothing fitted."""
    script, outcome = note.get("id"), words.OUTCOMES.get(str(note.get("outcome") or ""))
    facts = [_script_fact(str(script), note.get("version"))] if script else []
    facts += _confidence(note)
    rest = {
        key: value for key, value in note.items() if key not in {"id", "version", "outcome", "confidence", "chosen"}
    }
    tone: Tone = "good" if outcome is None else outcome.tone
    return StoryStep("script", N_("选用话术"), tone or "info", outcome, (*facts, *_other_facts(rest)))


def _confidence(note: Mapping[str, Any]) -> list[Fact]:
    value = note.get("confidence")
    return [Fact(N_("把握"), f"{value:.0%}", is_data=True)] if isinstance(value, int | float) else []


def _script_fact(script: str, version: object) -> Fact:
    return Fact(N_("话术"), f"{script} v{version}", is_data=True, href=f"/scripts/{script}")


def _evidence_steps(sent: Sequence[OutboxRow], trace: Sequence[Mapping[str, Any]]) -> Iterator[StoryStep]:
    """Tell of scripts that only the replies' evidence names."""
    told = {str(note.get("id")) for note in trace if note.get("step") == "script"}
    for reply in sent:
        script = str(reply.evidence.get("script") or "")
        if script and script not in told:
            told.add(script)
            yield StoryStep(
                "script", N_("选用话术"), "good", facts=(_script_fact(script, reply.evidence.get("version")),)
            )


_FACT_LABELS = {
    "variant": N_("最接近的问法"),
    "score": N_("得分"),
    "reason": N_("原因"),
    "name": N_("名称"),
    "count": N_("数量"),
    "found": N_("找到"),
    "findings": N_("命中"),
    "allowed": N_("可以发"),
    "kind": N_("种类"),
    "to": N_("交给"),
    "id": N_("编号"),
    "ids": N_("编号"),
    "groups": N_("群数"),
    "group": N_("群"),
    "customer": N_("客户"),
    "state": N_("状态"),
    "refused": N_("被拒原因"),
    "missing": N_("缺少"),
    "day": N_("日期"),
    "trigger": N_("触发"),
    "capability": N_("机器人"),
}


def _other_facts(note: Mapping[str, Any]) -> tuple[Fact, ...]:
    return tuple(
        Fact(_FACT_LABELS.get(key, key), _plain(value), is_data=True)
        for key, value in note.items()
        if key != "step" and value is not None and value not in ("", [])
    )


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}…"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, Mapping):
        return "，".join(f"{key}={_plain(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "、".join(_plain(item) for item in value)
    return str(value)


def _reply_steps(reply: OutboxRow) -> Iterator[StoryStep]:
    findings = tuple(_finding(item) for item in reply.findings)
    blocked = reply.state is OutboxState.BLOCKED
    gate = Word(N_("拦截"), "bad") if blocked else Word(N_("放行"), "good")
    checked = Fact(N_("检查结果"), N_("没有命中敏感词")) if not findings else Fact(N_("命中"), str(len(findings)))
    facts = [checked]
    if blocked and reply.error:
        facts.append(Fact(N_("原因"), reply.error, is_data=True))
    yield StoryStep("gate", N_("外发闸口"), gate.tone, gate, tuple(facts), findings)
    yield StoryStep(
        "outbox",
        N_("写入发件箱"),
        "bad" if blocked else "info",
        words.word(words.OUTBOX_STATES, reply.state) if blocked else None,
        facts=(
            Fact(N_("发件箱"), f"#{reply.id} → {reply.recipient}", is_data=True),
            Fact(N_("用途"), reply.purpose, is_data=True),
        ),
        quote=reply.text,
    )
    if blocked:
        return
    word = words.word(words.OUTBOX_STATES, reply.state)
    delivered = [Fact(N_("企业微信编号"), reply.platform_msgid, is_data=True)] if reply.platform_msgid else []
    if reply.error:
        delivered.append(Fact(N_("原因"), reply.error, is_data=True))
    yield StoryStep("delivery", N_("送达"), word.tone, word, tuple(delivered))


def _finding(item: Mapping[str, Any]) -> StoryFinding:
    return StoryFinding(
        term=str(item.get("matched") or item.get("term") or ""),
        rule_id=str(item.get("rule") or item.get("rule_id") or ""),
        category=words.CATEGORIES.get(str(item.get("category")), str(item.get("category") or "")),
        action=words.word(words.ACTIONS, str(item.get("action") or "")),
        lexicon_version=str(item.get("lexicon_version") or ""),
    )
