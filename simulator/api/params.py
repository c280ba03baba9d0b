"""Reading request fields with the platform's own refusals."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from simulator.errors import ApiError
from simulator.state import Json

Item = TypeVar("Item")


def need_text(fields: Mapping[str, Any], name: str, errcode: int = 40063) -> str:
    """Return a required, non-empty string; refuse with `errcode` when absent, 40058 when no string."""
    value = fields.get(name)
    if value is None or value == "":
        raise ApiError(errcode, f"missing or empty: {name}")
    if not isinstance(value, str):
        raise ApiError(40058, f"invalid parameter: {name} must be a string")
    return value


def read_text(fields: Mapping[str, Any], name: str, max_chars: int | None = None) -> str:
    """Return an optional string, "" when absent, bounded in characters."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ApiError(40058, f"invalid parameter: {name} must be a string")
    if max_chars is not None and len(value) > max_chars:
        raise ApiError(40058, f"invalid parameter: {name} is longer than {max_chars} characters")
    return value


def read_texts(fields: Mapping[str, Any], name: str, most: int, errcode: int = 40058) -> list[str]:
    """Return an optional list of strings, empty when absent; refuse more than `most` with `errcode`."""
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ApiError(40058, f"invalid parameter: {name} must be a list of strings")
    if len(value) > most:
        raise ApiError(errcode, f"{name} has more than {most} entries")
    return value


def read_number(fields: Mapping[str, Any], name: str, default: int | None, low: int, high: int) -> int:
    """Return an integer in [low, high]; `default` None makes it required. Digits in a string count."""
    value = fields.get(name)
    if value is None or value == "":
        if default is None:
            raise ApiError(40063, f"missing: {name}")
        return default
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ApiError(40058, f"invalid parameter: {name} must be a number from {low} to {high}")
    return value


def read_flag(fields: Mapping[str, Any], name: str, default: bool) -> bool:
    """Return an optional true or false."""
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ApiError(40058, f"invalid parameter: {name} must be true or false")
    return value


def read_numbers(fields: Mapping[str, Any], name: str, most: int, errcode: int = 40058) -> list[int]:
    """Return an optional list of whole numbers, empty when absent."""
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise ApiError(40058, f"invalid parameter: {name} must be a list of numbers")
    if len(value) > most:
        raise ApiError(errcode, f"{name} has more than {most} entries")
    return value


def need_object(fields: Mapping[str, Any], name: str, errcode: int = 40063) -> Json:
    """Return a required, non-empty object."""
    value = fields.get(name)
    if not value:
        raise ApiError(errcode, f"missing or empty: {name}")
    if not isinstance(value, dict):
        raise ApiError(40058, f"invalid parameter: {name} must be an object")
    return value


def read_objects(fields: Mapping[str, Any], name: str, most: int, errcode: int = 40058) -> list[Json]:
    """Return an optional list of objects, empty when absent."""
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ApiError(40058, f"invalid parameter: {name} must be a list of objects")
    if len(value) > most:
        raise ApiError(errcode, f"{name} has more than {most} entries")
    return value


def check_bytes(text: str, most: int, name: str, errcode: int = 45002) -> str:
    """Refuse a text of more than `most` bytes of UTF-8."""
    if len(text.encode()) > most:
        raise ApiError(errcode, f"{name} is longer than {most} bytes")
    return text


def cut_bytes(text: str, most: int) -> str:
    """Cut a text to `most` bytes of UTF-8, never inside a character."""
    return text.encode()[:most].decode(errors="ignore")


def page(items: Sequence[Item], cursor: str, limit: int) -> tuple[list[Item], str]:
    """Return one page and the cursor of the next ("" at the end).

    Raises:
        ApiError: 50100 for a cursor this simulator did not give out.
    """
    start = _read_cursor(cursor) if cursor else 0
    end = start + limit
    following = base64.urlsafe_b64encode(f"at:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), following


def _read_cursor(cursor: str) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(cursor).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise ApiError(50100) from error
    if word != "at" or not number.isdigit():
        raise ApiError(50100)
    return int(number)
