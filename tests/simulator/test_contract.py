"""Answers carry every key the API catalogue promises, and the reference page lists every route."""

import json
import re
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute

from simulator import control, sdk
from simulator.api.dispatch import ENDPOINTS
from simulator.errors import DATA
from tests.simulator.harness import Json, Sim

ROOT = Path(__file__).parents[2]
CATALOGUE = {row["api"]: row for row in json.loads((DATA / "api_catalog.json").read_text("utf-8"))["apis"]}
# refused always, or answering with a file
WITHOUT_ANSWER = {"POST /cgi-bin/msgaudit/groupchat/get", "GET /cgi-bin/media/get"}


def list_missing(tree: Any, answer: Any, path: str = "") -> list[str]:
    """Return the keys of a catalogue tree that an answer lacks; a key ending in ? may be absent."""
    if isinstance(tree, list):
        return [key for item in answer for key in list_missing(tree[0], item, f"{path}[]")]
    if not isinstance(tree, dict):
        return []
    missing = []
    for name, below in tree.items():
        bare = name.removesuffix("?")
        if bare in answer:
            missing += list_missing(below, answer[bare], f"{path}.{bare}")
        elif not name.endswith("?"):
            missing.append(f"{path}.{bare}")
    return missing


async def answers_of_a_day(sim: Sim) -> dict[str, Json]:
    """Call every API once with success and return the answers by API."""
    answers: dict[str, Json] = {}
    external = "/cgi-bin/externalcontact"

    async def call(name: str, body: Json | None = None, app: str = "app", **params: str) -> Json:
        answers[name] = await sim.api(name, body, app, **params)
        assert answers[name]["errcode"] == 0, (name, answers[name])
        return answers[name]

    pair = {"userid": "rm001", "external_userid": sim.wang_fang}
    about_kf = {"open_kfid": sim.config.open_kfid, "external_userid": sim.wang_fang}
    credentials = {"corpid": sim.config.corp_id, "corpsecret": sim.config.app_secret}
    await call("GET /cgi-bin/gettoken", None, "app", **credentials)
    await call("GET /cgi-bin/getcallbackip")
    await call("GET /cgi-bin/user/get", None, "app", userid="rm001")
    await call("GET /cgi-bin/user/list", None, "app", department_id="3")
    await call("GET /cgi-bin/user/simplelist", None, "app", department_id="3")
    await call("GET /cgi-bin/department/list")
    sent = await call("POST /cgi-bin/message/send", sim.button_card())
    update = {"agentid": sim.config.agent_id, "response_code": sent["response_code"]}
    await call("POST /cgi-bin/message/update_template_card", {**update, "button": {"replace_name": "好"}})
    await call("POST /cgi-bin/message/recall", {"msgid": sent["msgid"]})
    await call(f"GET {external}/get_follow_user_list")
    await call(f"GET {external}/list", None, "app", userid="rm001")
    await call(f"GET {external}/get", None, "app", external_userid=sim.wang_fang)
    await call(f"POST {external}/batch/get_by_user", {"userid_list": ["rm001"]})
    tags = await call(f"POST {external}/get_corp_tag_list", {})
    await call(f"POST {external}/mark_tag", {**pair, "add_tag": [tags["tag_group"][0]["tag"][0]["id"]]})
    await call(f"POST {external}/remark", {**pair, "remark": "王芳"})
    added = await sim.do("customers/add", {"userid": "rm001"})
    welcome = {"welcome_code": added["welcome_code"], "text": {"content": "您好"}}
    await call(f"POST {external}/send_welcome_msg", welcome)
    await call(f"POST {external}/groupchat/list", {"limit": 2})
    await call(f"POST {external}/groupchat/get", {"chat_id": sim.first_group, "need_name": 1})
    template = {"chat_type": "group", "sender": "rm001", "text": {"content": "您好"}}
    made = await call(f"POST {external}/add_msg_template", template)
    await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
    now = sim.clock.seconds()
    span = {"chat_type": "group", "start_time": now - 60, "end_time": now + 60}
    await call(f"POST {external}/get_groupmsg_list_v2", span)
    await call(f"POST {external}/get_groupmsg_task", {"msgid": made["msgid"]})
    await call(f"POST {external}/get_groupmsg_send_result", {"msgid": made["msgid"], "userid": "rm001"})
    await call(f"POST {external}/remind_groupmsg_send", {"msgid": made["msgid"]})
    await call(f"POST {external}/cancel_groupmsg_send", {"msgid": made["msgid"]})
    await call("POST /cgi-bin/kf/account/list", {}, "kf")
    entered = await sim.do("kf/enter", {"external_userid": sim.wang_fang})
    text = {"msgtype": "text", "text": {"content": "您好"}}
    await call("POST /cgi-bin/kf/send_msg_on_event", {"code": entered["welcome_code"], **text}, "kf")
    await sim.do("kf/messages", {"external_userid": sim.wang_fang, "text": "在吗"})
    await call("POST /cgi-bin/kf/sync_msg", {"open_kfid": sim.config.open_kfid}, "kf")
    await call("POST /cgi-bin/kf/send_msg", {**about_kf, "touser": sim.wang_fang, **text}, "kf")
    await call("POST /cgi-bin/kf/customer/batchget", {"external_userid_list": [sim.wang_fang]}, "kf")
    await call("POST /cgi-bin/kf/service_state/trans", {**about_kf, "service_state": 2}, "kf")
    await call("POST /cgi-bin/kf/service_state/get", about_kf, "kf")
    await call("POST /cgi-bin/msgaudit/get_permit_user_list", {}, "archive")
    pairs = [{"userid": "rm001", "exteranalopenid": sim.wang_fang}]
    await call("POST /cgi-bin/msgaudit/check_single_agree", {"info": pairs}, "archive")
    await call("POST /cgi-bin/msgaudit/check_room_agree", {"roomid": sim.first_group}, "archive")
    await sim.do(f"groups/{sim.first_group}/aibot", {"admitted": True})
    await sim.do(f"groups/{sim.first_group}/messages", {"sender": "rm001", "text": "利率", "mention_bot": True})
    (bot_call,) = [got.fields for got in sim.bot.received if got.path.endswith("/aibot")]
    code = bot_call["response_url"].rpartition("=")[2]
    markdown = {"msgtype": "markdown", "markdown": {"content": "见公告"}}
    await call("POST /cgi-bin/aibot/response", markdown, "app", response_code=code)
    query = {"access_token": await sim.token(), "type": "file"}
    files = {"media": ("x.txt", b"123456", "text/plain")}
    up = await sim.client.post("/cgi-bin/media/upload", params=query, files=files)
    answers["POST /cgi-bin/media/upload"] = up.json()
    return answers


async def test_every_api_answers_with_the_keys_of_the_catalogue(sim: Sim) -> None:
    answers = await answers_of_a_day(sim)
    assert set(answers) == set(ENDPOINTS) - WITHOUT_ANSWER
    missing = {name: list_missing(CATALOGUE[name]["resp"], answer) for name, answer in answers.items()}
    assert {name: keys for name, keys in missing.items() if keys} == {}


def test_reference_page_lists_every_route() -> None:
    page = (ROOT / "docs" / "reference" / "simulator.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`((?:GET|POST) /_(?:sim|sdk)/[^`]*)`", page))
    routes = {
        f"{method} {route.path}"
        for router in (control.router, sdk.router)
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert listed == routes
    for name in ENDPOINTS:
        short = name.split()[1].removeprefix("/cgi-bin/")
        tail = re.sub(r"^(externalcontact|kf|msgaudit)/", "", short)
        assert tail in page, name
