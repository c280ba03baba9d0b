"""The check every API gets: required fields and types by the shipped catalogue's key trees.

Keys that the catalogue does not know are tolerated, as the platform tolerates them. Byte limits, allowed values and
what depends on other fields are each API's own business.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from simulator.errors import ApiError, catalogue
from simulator.state import Json

WRONG_TYPE = 40058
EMPTY = 40063
# where the platform has a code of its own for a missing field (data/errcodes.json)
MISSING_FIELD = {
    "agentid": 40056,
    "external_userid": 41035,
    "welcome_code": 41049,
    "config_id": 41043,
    "moment_id": 41059,
    "access_token": 41001,
}
MISSING_IN = {
    ("POST /cgi-bin/externalcontact/add_contact_way", "type"): 41037,
    ("POST /cgi-bin/externalcontact/add_contact_way", "scene"): 41038,
    ("POST /cgi-bin/kf/customer/batchget", "external_userid_list"): EMPTY,
}
# required in the definitions of 2023, not on the pages that were read
NOT_REQUIRED = {
    "POST /cgi-bin/batch/invite": {"user", "party", "tag"},
    "POST /cgi-bin/department/create": {"parentid"},
    "POST /cgi-bin/user/list_id": {"cursor", "limit"},
    "POST /cgi-bin/externalcontact/add_product_album": {"attachments"},
}


def check_request(api: str, params: Mapping[str, str], body: Json) -> None:
    """Refuse a request without a required field or with one of the wrong type.

    Raises:
        ApiError: 40058 naming the field of a wrong type; for a missing one the field's own code, else 40063.
    """
    row = catalogue().get(api)
    if row is None:
        return
    tree = row.get("body") or {}
    if isinstance(tree, dict):
        _check_object(tree, body, "")
    for path in _required(api):
        fields = params if path[0] in (row.get("query") or ()) else body
        if not _has(fields, path):
            raise ApiError(_code_of(api, path[-1]), f"missing: {'.'.join(path)}")


@cache
def _required(api: str) -> tuple[tuple[str, ...], ...]:
    excepted = NOT_REQUIRED.get(api, set())
    names = catalogue()[api].get("required_2023") or ()
    return tuple(tuple(name.split(".")) for name in names if name not in excepted)


def _code_of(api: str, name: str) -> int:
    return MISSING_IN.get((api, name)) or MISSING_FIELD.get(name, EMPTY)


def _has(fields: Mapping[str, Any], path: Iterable[str]) -> bool:
    """Say whether a required field is there; below a parent that is absent nothing is required."""
    first, *rest = path
    value = fields.get(first.removesuffix("[]"))
    if not rest:
        return value is not None
    if first.endswith("[]"):
        return not isinstance(value, list) or all(_has(item, rest) for item in value if isinstance(item, dict))
    return not isinstance(value, dict) or _has(value, rest)


def _check(tree: Any, value: Any, path: str) -> None:
    if value is None:
        return
    if isinstance(tree, dict):
        if not isinstance(value, dict):
            raise _wrong(path, "an object")
        _check_object(tree, value, f"{path}.")
    elif isinstance(tree, list):
        if not isinstance(value, list):
            raise _wrong(path, "a list")
        for item in value:
            _check(tree[0], item, f"{path}[]")
    elif not _is_of(tree, value):
        raise _wrong(path, SPOKEN[tree])


def _check_object(tree: Json, fields: Json, path: str) -> None:
    for name, below in tree.items():
        bare = name.removesuffix("?")
        if bare in fields:
            _check(below, fields[bare], path + bare)


def _wrong(path: str, wanted: str) -> ApiError:
    return ApiError(WRONG_TYPE, f"invalid parameter: {path} must be {wanted}")


SPOKEN = {
    "str": "a string",
    "pipe-list": "a string",
    "int": "an integer",
    "num": "a number",
    "bool": "true or false",
    "0/1": "0 or 1",
}


def _is_of(kind: str, value: Any) -> bool:
    """Say whether a value is of a catalogue type; digits in a string count as a number, 0 and 1 as a bool."""
    if kind in {"str", "pipe-list"}:
        return isinstance(value, str)
    if isinstance(value, str):
        return kind in {"int", "num", "0/1"} and value.lstrip("-").isdecimal()
    if kind in {"bool", "0/1"}:
        return isinstance(value, int) and value in {0, 1}
    if kind in {"int", "num"}:
        wanted = int if kind == "int" else int | float
        return isinstance(value, wanted) and not isinstance(value, bool)
    return True  # the catalogue describes it in words
