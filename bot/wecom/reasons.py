"""What an error code means to a person, and what to do about it: in words of its own for codes people meet, by its
class for the others."""

import re
from dataclasses import dataclass

from bot.texts import load_texts
from bot.wecom.errcodes import reaction_to

_CODE = re.compile(r"-?\d+$")


@dataclass(frozen=True, slots=True)
class Reason:
    """What happened, and what to do."""

    what: str
    advice: str


def explain(errcode: int, language: str = "zh") -> Reason:
    """Return the words for a code."""
    texts = load_texts("bot.wecom", language)
    own = f"errcode.{errcode}"
    key = own if f"{own}.what" in texts.keys() else f"class.{reaction_to(errcode).value}"  # noqa: SIM118  no mapping
    return Reason(texts[f"{key}.what"], texts[f"{key}.advice"])


def explain_error(error: str, language: str = "zh") -> Reason:
    """Return the words for what an outbox row's `error` says: a word of ours, or our error's name and a code."""
    texts = load_texts("bot.wecom", language)
    if f"outbox.{error}.what" in texts.keys():  # noqa: SIM118  no mapping
        return Reason(texts[f"outbox.{error}.what"], texts[f"outbox.{error}.advice"])
    code = _CODE.search(error)
    if code is None:
        return Reason(error, texts["outbox.other.advice"])
    reason = explain(int(code[0]), language)
    if error.startswith("unreachable "):
        return Reason(f"{reason.what}{texts['outbox.unreachable.what']}", texts["outbox.unreachable.advice"])
    return reason
