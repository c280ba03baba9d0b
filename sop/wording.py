"""The package's own words, in one language for now: what it writes into rows is read by staff of a Chinese bank."""

from bot.texts import Texts, load_texts


def sop_texts(language: str = "zh") -> Texts:
    """Return the catalogue of plans, broadcasts and to-dos."""
    return load_texts("sop", language)
