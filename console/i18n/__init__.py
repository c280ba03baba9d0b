"""The pages' words. Chinese is the message id; English is read from the `.po` at start: there is no build step."""

from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po

_FOLDER = Path(__file__).parent
LANGUAGES: Final = ("zh", "en")


def N_(text: str) -> str:
    """Mark a text for the catalogue where it is written; it is translated where it is shown."""
    return text


class Catalogue:
    """Finds the words of one language; a text without a translation stays as it is."""

    def __init__(self, single: dict[str, str], plural: dict[str, tuple[str, ...]]) -> None:
        self._single = single
        self._plural = plural

    def gettext(self, text: str) -> str:
        """Return the translation."""
        return self._single.get(text, text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return the form for `count`: English has two, Chinese one."""
        forms = self._plural.get(one)
        if forms is None:
            return one if count == 1 else many
        return forms[0 if count == 1 else -1]


@cache
def load_catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language; Chinese needs none."""
    if language == "zh":
        return Catalogue({}, {})
    single: dict[str, str] = {}
    plural: dict[str, tuple[str, ...]] = {}
    with (_FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        for message in read_po(file, locale=language):
            if isinstance(message.id, str):
                if message.id and isinstance(message.string, str) and message.string:
                    single[message.id] = message.string
            elif message.string and not isinstance(message.string, str) and all(message.string):
                plural[message.id[0]] = tuple(message.string)
    return Catalogue(single, plural)
