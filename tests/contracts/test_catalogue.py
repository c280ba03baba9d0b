"""The checker itself: it finds every kind of mistake, and its list of deviations is not stale."""

import pytest

from tests.contracts.catalogue import (
    DEVIATIONS,
    OPTIONAL,
    REQUIRED,
    Deviation,
    check_answer,
    check_request,
    get_contract,
    list_apis,
)

TOKEN = {"access_token": "t"}
SEND = "POST /cgi-bin/message/send"
MESSAGE = {"touser": "li|wang", "agentid": 1, "msgtype": "text", "text": {"content": "好"}}


@pytest.mark.parametrize(
    ("api", "params", "body"),
    [
        (SEND, TOKEN, MESSAGE),
        ("GET /cgi-bin/user/get", {**TOKEN, "userid": "li"}, None),
        ("GET /cgi-bin/department/list", TOKEN, None),
        ("GET /cgi-bin/gettoken", {"corpid": "ww1", "corpsecret": "s"}, None),
        ("POST /cgi-bin/webhook/send", {"key": "k"}, {"msgtype": "text", "text": {"content": "好"}}),
        ("POST /cgi-bin/media/upload", {**TOKEN, "type": "image"}, {"media": b""}),
    ],
)
def test_documented_request_has_no_problems(api: str, params: dict[str, str], body: dict[str, object] | None) -> None:
    assert check_request(api, params, body) == []


@pytest.mark.parametrize(
    ("params", "body", "problem"),
    [
        ({}, MESSAGE, "query.access_token is missing"),
        ({**TOKEN, "debug": "1"}, MESSAGE, "query.debug is unknown"),
        (TOKEN, {**MESSAGE, "colour": 1}, "body.colour is unknown"),
        (TOKEN, {**MESSAGE, "touser": ["li"]}, "body.touser is not of type pipe-list"),
        (TOKEN, {**MESSAGE, "agentid": True}, "body.agentid is not of type int"),
        (TOKEN, {**MESSAGE, "enable_id_trans": 2}, "body.enable_id_trans is not of type 0/1"),
        (TOKEN, {**MESSAGE, "text": {}}, "body.text.content is missing"),
        (TOKEN, {**MESSAGE, "text": "好"}, "body.text is not an object"),
        (TOKEN, {"agentid": 1}, "body.msgtype is missing"),
        (TOKEN, {"msgtype": "text"}, "body.agentid is missing"),
        (TOKEN, {**MESSAGE, "news": {"articles": {}}}, "body.news.articles is not a list"),
        (TOKEN, {**MESSAGE, "news": {"articles": [{"url": "u"}]}}, "body.news.articles[0].title is missing"),
    ],
)
def test_mistake_in_a_request_is_named_by_its_path(
    params: dict[str, str], body: dict[str, object], problem: str
) -> None:
    assert problem in check_request(SEND, params, body)


def test_keys_the_platform_team_calls_required_override_the_marks() -> None:
    api = "POST /cgi-bin/externalcontact/add_msg_template"
    mini = {"msgtype": "miniprogram", "miniprogram": {"appid": "wx1", "page": "p", "title": "t"}}
    problems = check_request(api, TOKEN, {"sender": "li", "attachments": [mini]})
    assert problems == ["body.attachments[0].miniprogram.pic_media_id is missing"]


def test_an_answer_is_checked_for_missing_unknown_and_mistyped_keys() -> None:
    api = "GET /cgi-bin/get_jsapi_ticket"
    assert check_answer(api, {"errcode": 0, "errmsg": "ok", "ticket": "t", "expires_in": 7200}) == []
    assert check_answer(api, {"ticket": 1, "extra": 1}) == [
        "answer.extra is unknown",
        "answer.ticket is not of type str",
        "answer.expires_in is missing",
    ]


def test_a_refusal_needs_no_further_keys() -> None:
    assert check_answer("GET /cgi-bin/get_jsapi_ticket", {"errcode": 40014, "errmsg": "invalid access_token"}) == []


def test_unknown_api_is_a_problem() -> None:
    assert check_request("POST /cgi-bin/nothing", TOKEN, {}) == ["POST /cgi-bin/nothing is not in the catalogue"]
    assert check_answer("POST /cgi-bin/nothing", {}) == ["POST /cgi-bin/nothing is not in the catalogue"]


def test_every_contract_can_be_built() -> None:
    assert all(get_contract(api).api == api for api in list_apis())


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: f"{deviation.api} {deviation.path}")
def test_every_deviation_has_its_reason_and_names_an_api_of_the_catalogue(deviation: Deviation) -> None:
    assert deviation.why
    assert deviation.api in list_apis()
    assert not (deviation.change in (OPTIONAL, REQUIRED) and deviation.path.endswith("?"))
