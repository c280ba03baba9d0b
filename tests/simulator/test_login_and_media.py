"""The login page and its codes, JS-SDK signatures, and files fetched from an address."""

import base64
import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from tests.running import running
from tests.simulator.contract.book import FILM
from tests.simulator.harness import Json, Sim

PAGE = "/connect/oauth2/authorize"


def address(sim: Sim, **changes: str) -> dict[str, str]:
    """Return the query of a correct login address, changed as asked."""
    query = {
        "appid": sim.config.corp_id,
        "redirect_uri": "http://127.0.0.1:8000/login",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "abc",
    }
    return {**query, **changes}


async def test_page_asks_whose_phone_it_is(sim: Sim) -> None:
    answer = await sim.client.get(PAGE, params=address(sim))
    assert answer.status_code == 200
    assert "李娜（rm001）" in answer.text
    assert "sim_person=rm001" in answer.text
    unknown = await sim.client.get(PAGE, params=address(sim, sim_person="ghost"))
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"appid": "ww9"}, 40013),
        ({"response_type": "token"}, 40058),
        ({"scope": "snsapi_login"}, 40058),
        ({"state": "no blanks"}, 40058),
        ({"state": "a" * 129}, 40058),
        ({"scope": "snsapi_privateinfo"}, 40063),
        ({"agentid": "1"}, 40056),
        ({"redirect_uri": "http://127.0.0.1:8001/login"}, 50001),
        ({"redirect_uri": "http://evil.example/login"}, 50001),
        ({"redirect_uri": "javascript:alert(1)"}, 50001),
    ],
)
async def test_wrong_login_address_is_refused_on_the_page(sim: Sim, changes: dict[str, str], errcode: int) -> None:
    answer = await sim.client.get(PAGE, params=address(sim, sim_person="rm001", **changes))
    assert (answer.status_code, answer.text.startswith(f"<p>{errcode} ")) == (400, True)


async def code_of(sim: Sim, scope: str = "snsapi_base") -> str:
    """Return the code a browser brings back."""
    query = address(sim, sim_person="rm001", scope=scope, agentid=str(sim.config.agent_id))
    answer = await sim.client.get(PAGE, params=query)
    return httpx.URL(answer.headers["location"]).params["code"]


async def test_code_lives_five_minutes_and_a_ticket_thirty(sim: Sim) -> None:
    who, detail = "GET /cgi-bin/auth/getuserinfo", "POST /cgi-bin/auth/getuserdetail"
    late = await code_of(sim)
    sim.clock.advance(301)
    assert await sim.refused(who, code=late) == 40029
    plain = await sim.api(who, code=await code_of(sim))
    assert (plain["userid"], "user_ticket" in plain) == ("rm001", False)
    private = await sim.api(who, code=await code_of(sim, "snsapi_privateinfo"))
    assert (await sim.api(detail, {"user_ticket": private["user_ticket"]}))["userid"] == "rm001"
    sim.clock.advance(1801)
    assert await sim.refused(detail, {"user_ticket": private["user_ticket"]}) == 40058


async def test_client_judges_signatures_as_documented(sim: Sim) -> None:
    corp = (await sim.api("GET /cgi-bin/get_jsapi_ticket"))["ticket"]
    agent = (await sim.api("GET /cgi-bin/ticket/get", type="agent_config"))["ticket"]
    url = "https://bank.example/sidebar?a=1"

    async def judge(ticket: str, kind: str, page: str) -> int:
        signed = f"jsapi_ticket={ticket}&noncestr=n&timestamp=1767225600&url={url}"
        signature = hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
        given: Json = {"kind": kind, "url": page, "noncestr": "n", "timestamp": 1767225600, "signature": signature}
        return int((await sim.do("jssdk/check", given))["errcode"])

    assert await judge(corp, "corp", f"{url}#top") == 0
    assert await judge(agent, "agent_config", url) == 0
    assert await judge(corp, "agent_config", url) == 42012
    assert await judge(corp, "corp", url.partition("?")[0]) == 40093
    sim.clock.advance(7201)
    sim.tokens.clear()
    assert await judge(corp, "corp", url) == 40093
    assert (await sim.api("GET /cgi-bin/get_jsapi_ticket"))["ticket"] != corp


@pytest.fixture
async def files() -> AsyncIterator[str]:
    """A server of the bank's files: /whole ignores Range, /part honours it."""
    app = FastAPI(openapi_url=None)

    @app.get("/part")
    async def part(request: Request) -> Response:
        assert request.headers["range"] == "bytes=0-"
        return Response(FILM, 206, {"Content-Range": f"bytes 0-{len(FILM) - 1}/{len(FILM)}"}, "video/mp4")

    @app.get("/whole")
    async def whole() -> Response:
        return Response(FILM, media_type="video/mp4")

    async with running(app) as base:
        yield base


@pytest.mark.parametrize(
    ("path", "md5", "status", "errcode"),
    [
        ("/part", hashlib.md5(FILM, usedforsecurity=False).hexdigest(), 2, 0),
        ("/part", "", 2, 0),
        ("/part", "0" * 32, 3, 40058),
        ("/whole", "", 3, 40094),
        ("/none", "", 3, 40094),
    ],
)
async def test_file_is_fetched_and_its_end_called_back(
    sim: Sim, files: str, path: str, md5: str, status: int, errcode: int
) -> None:
    asked: Json = {"scene": 1, "type": "video", "filename": "a.mp4", "url": files + path, "md5": md5}
    job = await sim.api("POST /cgi-bin/media/upload_by_url", asked)
    name = "POST /cgi-bin/media/get_upload_by_url_result"
    assert (await sim.api(name, {"jobid": job["jobid"]}))["status"] in {1, status}
    await sim.platform.fetcher.drain()
    await sim.platform.callbacks.drain()
    (event,) = sim.bot.events("upload_media_job_finish")
    assert event["JobId"] == job["jobid"]
    result = await sim.api(name, {"jobid": job["jobid"]})
    assert (result["status"], result["detail"]["errcode"]) == (status, errcode)
    if status == 2:
        query = {"access_token": await sim.token(), "media_id": result["detail"]["media_id"]}
        assert (await sim.client.get("/cgi-bin/media/get", params=query)).content == FILM
    sim.clock.advance(3601)
    assert await sim.refused(name, {"jobid": job["jobid"]}) == 40088


async def test_media_serves_only_what_it_was_uploaded_for(sim: Sim) -> None:
    content = base64.b64encode(FILM).decode()
    spoken = await sim.do("media", {"type": "voice", "filename": "v", "content_base64": content, "jssdk": True})
    message = sim.message("rm001", "voice", {"media_id": spoken["media_id"]})
    assert await sim.refused("POST /cgi-bin/message/send", message) == 40007
    await sim.do("media", {"type": "file", "filename": "v", "content_base64": "?"}, status=409)
