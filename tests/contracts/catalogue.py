"""Requests and answers held against the key trees of `api_catalog.json`: `check_request` and `check_answer`.

Both return the problems found, each with the path of the key (`body.attachments[0].link.title is missing`) and never a
value. What the catalogue has wrong or leaves out, by the Markdown of the dossier, stands in `DEVIATIONS`.

How a tree is read. A key ending in `?` may be absent. `required_2023` lists further required keys: its paths count
from the body, or from any object below it (`link.title`); on an API with a query and no body they name query keys.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).parents[2] / "simulator" / "data" / "api_catalog.json"

OPTIONAL, REQUIRED = "(optional)", "(required)"
ANYTHING = "(anything)"
_TOKENLESS = frozenset(
    {
        "GET /cgi-bin/gettoken",
        "POST /cgi-bin/webhook/send",
        "POST /cgi-bin/webhook/upload_media",
        "POST /cgi-bin/aibot/response",
        "POST /cgi-bin/idconvert/upgrade_chatid_for_new_corp",
    }
)
_SEND = "POST /cgi-bin/message/send"
_UPDATE_CARD = "POST /cgi-bin/message/update_template_card"
_EXTERNAL = "/cgi-bin/externalcontact"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One place where the Markdown wins. `side` is body, query or resp; `change` a mark or the tree to put there."""

    api: str
    side: str
    path: str
    change: Any
    why: str


# A path ends in `?` when what is put there is optional. Paths go through lists without a mark.
DEVIATIONS = (
    Deviation(_SEND, "body", "agentid", REQUIRED, "04, 4.1: msgtype, agentid required"),
    Deviation(_SEND, "body", "safe?", "int", "04, 4.1: mpnews also 2"),
    *(
        Deviation(api, "body", f"mpnews.articles.{path}", change, "04, 4.1: articles{title, thumb_media_id, content …}")
        for api in (_SEND, "POST /cgi-bin/appchat/send")
        for path, change in (("url", OPTIONAL), ("thumb_media_id", REQUIRED))
    ),
    *(
        Deviation(api, "body", f"template_card.{path}", change, why)
        for api in (_SEND, _UPDATE_CARD)
        for path, change, why in (
            ("card_action.title", OPTIONAL, "04, 4.3: card_action{type, url or mini program}"),
            (
                "image_text_area?",
                {"type?": "int", "url?": "str", "appid?": "str", "pagepath?": "str"}
                | {"title?": "str", "desc?": "str", "image_url": "str"},
                "04, 4.3: news_notice has card_image or image_text_area; its keys [K]",
            ),
            (
                "button_selection?",
                {"question_key": "str", "title?": "str", "disable?": "bool", "selected_id?": "str"}
                | {"option_list": [{"id": "str", "text": "str"}]},
                "04, 4.3: button_interaction has button_selection; its keys [K]",
            ),
        )
    ),
    Deviation(_UPDATE_CARD, "body", "button.task_id", OPTIONAL, "04, 4.2: button{replace_name}"),
    Deviation(f"GET {_EXTERNAL}/get", "query", "cursor?", "str", "05, 5.1: more than 500 followers page by cursor"),
    Deviation(
        f"POST {_EXTERNAL}/batch/get_by_user",
        "resp",
        "fail_info?",
        {"unlicensed_userid_list?": ["str"]},
        "05, 5.1: fail_info.unlicensed_userid_list",
    ),
    Deviation(f"POST {_EXTERNAL}/get_contact_way", "resp", "contact_way", REQUIRED, "05, 5.3: it is what is asked for"),
    Deviation(f"POST {_EXTERNAL}/add_msg_template", "body", "chat_type", OPTIONAL, "05, 5.6: single is the default"),
    Deviation(
        f"POST {_EXTERNAL}/get_groupmsg_list_v2",
        "resp",
        "group_msg_list.creator",
        OPTIONAL,
        "absent for tasks made by API [K]",
    ),
    Deviation(
        f"POST {_EXTERNAL}/get_moment_task_result", "resp", "result", OPTIONAL, "05, 5.7: there when the status is 3"
    ),
    Deviation("POST /cgi-bin/kf/sync_msg", "body", "token", OPTIONAL, "07, 7.2: without token the call is limited"),
    Deviation(
        "POST /cgi-bin/kf/sync_msg",
        "resp",
        "msg_list.link.thumb_media_id",
        OPTIONAL,
        "07, 7.2: title, desc, url, pic_url",
    ),
    Deviation("POST /cgi-bin/kf/sync_msg", "resp", "msg_list.event.stop_type?", "int", "07, 7.2"),
    Deviation("POST /cgi-bin/kf/sync_msg", "resp", "msg_list.event.reject_switch?", "int", "07, 7.2"),
    *(
        Deviation("POST /cgi-bin/kf/sync_msg", "resp", f"msg_list.{kind}?", ANYTHING, "07, 7.2: notice that such came")
        for kind in ("meeting", "calendar", "note")
    ),
    Deviation(
        "POST /cgi-bin/kf/service_state/trans",
        "resp",
        "msg_code",
        OPTIONAL,
        "07, 7.4: for the notice text, where one is",
    ),
    Deviation("GET /cgi-bin/kf/servicer/list", "resp", "servicer_list.stop_type?", "int", "07, 7.2: stop_type"),
    # Query keys are listed without marks: these may be left out (90208, 95350, 94513).
    Deviation("GET /cgi-bin/department/list", "query", "id", OPTIONAL, "90208: all departments without it"),
    Deviation("GET /cgi-bin/department/simplelist", "query", "id", OPTIONAL, "the same"),
    Deviation("GET /cgi-bin/user/list_member_auth", "query", "cursor", OPTIONAL, "paging"),
    Deviation("GET /cgi-bin/user/list_member_auth", "query", "limit", OPTIONAL, "paging"),
)


@dataclass(frozen=True, slots=True)
class Contract:
    """One API's trees, deviations applied. A `query` value tells whether the key is required."""

    api: str
    query: Mapping[str, bool]
    body: Mapping[str, Any]
    answer: Mapping[str, Any]
    multipart: str | None
    required_paths: tuple[str, ...]


def list_apis() -> tuple[str, ...]:
    """List every API of the catalogue, in its order."""
    return tuple(_rows())


def get_contract(api: str) -> Contract:
    """Return the contract of an API named like `POST /cgi-bin/message/send`.

    Raises:
        KeyError: the catalogue has no such API.
    """
    row = _rows()[api]
    required = tuple(row.get("required_2023", ()))
    has_body = bool(row.get("body"))
    return Contract(
        api=api,
        query=_query_of(api, row, () if has_body else required),
        body=_patched(api, "body", row.get("body", {})),
        answer=_patched(api, "resp", row.get("resp", {})),
        multipart=row.get("multipart"),
        required_paths=required if has_body else (),
    )


def check_request(api: str, params: Mapping[str, Any] | None, body: Mapping[str, Any] | None) -> list[str]:
    """Return what is wrong with a request; `params` are all query keys as sent, `access_token` among them.

    For an upload, `body` names the multipart fields as keys. A GET has no body.
    """
    try:
        contract = get_contract(api)
    except KeyError:
        return [f"{api} is not in the catalogue"]
    problems = [*_query_problems(contract, params or {})]
    if contract.multipart is not None:
        if set(body or {}) != {contract.multipart}:
            problems.append(f"body must be one multipart field {contract.multipart}")
        return problems
    if api.startswith("GET ") and body:
        problems.append("body is not allowed on a GET")
    problems += _object_problems(contract.body, body or {}, "body", contract.required_paths)
    return problems


def check_answer(api: str, body: Any) -> list[str]:
    """Return what is wrong with an answer. A refusal (errcode not 0) needs its errcode and errmsg only."""
    try:
        contract = get_contract(api)
    except KeyError:
        return [f"{api} is not in the catalogue"]
    if not isinstance(body, Mapping):
        return ["answer is not an object"]
    problems = [*_value_problems("int", body.get("errcode", 0), "answer.errcode")]
    problems += _value_problems("str", body.get("errmsg", ""), "answer.errmsg")
    if problems or body.get("errcode", 0) != 0:
        return problems
    fields = {name: value for name, value in body.items() if name not in ("errcode", "errmsg")}
    return _object_problems(contract.answer, fields, "answer", ())


@cache
def _rows() -> dict[str, dict[str, Any]]:
    return {row["api"]: row for row in json.loads(CATALOGUE.read_text("utf-8"))["apis"]}


def _query_of(api: str, row: Mapping[str, Any], required: tuple[str, ...]) -> dict[str, bool]:
    keys = {name: name in required if required else True for name in row.get("query", ())}
    for deviation in DEVIATIONS:
        if (deviation.api, deviation.side) == (api, "query"):
            keys[deviation.path.removesuffix("?")] = False
    return keys


def _query_problems(contract: Contract, params: Mapping[str, Any]) -> Iterator[str]:
    known = dict(contract.query)
    if contract.api not in _TOKENLESS:
        known["access_token"] = True
    for name in params:
        if name not in known:
            yield f"query.{name} is unknown"
    for name, required in known.items():
        if required and not params.get(name):
            yield f"query.{name} is missing"


def _object_problems(tree: Any, value: Any, path: str, required: tuple[str, ...]) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{path} is not an object"]
    known = {name.removesuffix("?"): (below, name.endswith("?")) for name, below in tree.items()}
    problems = [f"{path}.{name} is unknown" for name in value if name not in known]
    for name, (below, optional) in known.items():
        at = f"{path}.{name}"
        if name in value:
            problems += _value_problems(below, value[name], at, required)
        elif not optional or _is_listed(at, required):
            problems.append(f"{at} is missing")
    return problems


def _value_problems(tree: Any, value: Any, path: str, required: tuple[str, ...] = ()) -> list[str]:
    match tree:
        case dict():
            return _object_problems(tree, value, path, required)
        case [below]:
            if not isinstance(value, list):
                return [f"{path} is not a list"]
            return [
                problem
                for index, item in enumerate(value)
                for problem in _value_problems(below, item, f"{path}[{index}]", required)
            ]
        case "as message/send, text_notice and news_notice only" | "card object":
            return _object_problems(get_contract(_SEND).body["template_card?"], value, path, required)
        case _:
            return [] if _is_of_type(str(tree), value) else [f"{path} is not of type {tree}"]


def _is_of_type(name: str, value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    match name:
        case "str" | "pipe-list":
            return isinstance(value, str)
        case "int":
            return whole
        case "num":
            return whole or isinstance(value, float)
        case "bool":
            return isinstance(value, bool)
        case "0/1":
            return whole and value in (0, 1)
        case _:  # "..." (the same again, as in menus) and ANYTHING
            return True


def _is_listed(path: str, required: tuple[str, ...]) -> bool:
    """Tell whether `required_2023` names this key: from the body, or by its last parts when it names several."""
    plain = ".".join(part.split("[")[0] for part in path.removeprefix("body.").split("."))
    for listed in (entry.replace("[]", "") for entry in required):
        if plain == listed or ("." in listed and plain.endswith(f".{listed}")):
            return True
    return False


def _patched(api: str, side: str, tree: Mapping[str, Any]) -> dict[str, Any]:
    patched = copy.deepcopy(dict(tree))
    for deviation in DEVIATIONS:
        if (deviation.api, deviation.side) == (api, side):
            _patch(patched, deviation)
    return patched


def _patch(tree: dict[str, Any], deviation: Deviation) -> None:
    *parents, last = deviation.path.split(".")
    at: Any = tree
    for name in parents:
        at = at.get(name, at.get(f"{name}?"))
        at = at[0] if isinstance(at, list) else at
    bare = last.removesuffix("?")
    old = at.pop(bare, at.pop(f"{bare}?", None))
    if deviation.change == OPTIONAL:
        at[f"{bare}?"] = old
    elif deviation.change == REQUIRED:
        at[bare] = old
    else:
        at[last] = deviation.change
