"""The errors of this package, under the branches of `bot.errors`."""

from collections.abc import Sequence

from bot.errors import BotError, RequestRefused
from compliance.lexicon import RowError


class LexiconMissing(BotError):
    """No lexicon is installed. Nothing may leave unscreened, so this stops the gate instead of passing the text."""

    code = "compliance.lexicon_missing"


class LexiconRefused(RequestRefused):
    """A lexicon file has errors; nothing of it was installed. `errors` lists them row by row."""

    code = "refused.lexicon"

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__(f"the lexicon has {len(errors)} bad rows, the first is line {errors[0].line}")
        self.errors = tuple(errors)


class RecordMalformed(BotError):
    """A record of the session archive cannot be read. `reason` is a stable word, never the content."""

    code = "compliance.record"

    def __init__(self, reason: str) -> None:
        super().__init__(f"archive record cannot be read: {reason}")
        self.reason = reason
