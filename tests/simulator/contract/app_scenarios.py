"""Messages, app groups, robots, media, directory, logins and tickets."""

import base64
import hashlib

from tests.simulator.contract.book import FILM, PNG, VOICE, Book, scenario
from tests.simulator.harness import Json

SEND = "POST /cgi-bin/message/send"
UPLOAD = "POST /cgi-bin/media/upload"


@scenario
async def tokens(book: Book) -> None:
    """A token for a secret; addresses of both sides."""
    config = book.sim.config
    await book.ok("GET /cgi-bin/gettoken", corpid=config.corp_id, corpsecret=config.app_secret)
    await book.no("GET /cgi-bin/gettoken", 40013, corpid="ww9", corpsecret=config.app_secret)
    for api in ("GET /cgi-bin/getcallbackip", "GET /cgi-bin/get_api_domain_ip"):
        await book.ok(api)
        await book.no_token(api)


@scenario
async def every_kind_of_message(book: Book) -> None:
    """Each msgtype once, and what each refuses."""
    sim = book.sim
    article = {"title": "公告", "url": "https://bank.example/n"}
    page = {"title": "公告", "thumb_media_id": await book.media(), "content": "<p>正文</p>"}
    notice: Json = {"appid": "wx1", "page": "index", "title": "到期提醒通知"}
    bodies: dict[str, Json] = {
        "text": {"content": "您好"},
        "markdown": {"content": "**您好**"},
        "image": {"media_id": await book.media()},
        "voice": {"media_id": await book.media("voice")},
        "video": {"media_id": await book.media("video"), "title": "晨会"},
        "file": {"media_id": await book.media("file")},
        "textcard": {"title": "待办", "description": "三项", "url": "https://bank.example/t"},
        "news": {"articles": [article]},
        "mpnews": {"articles": [page]},
        "miniprogram_notice": {**notice, "content_item": [{"key": "产品", "value": "定期存单"}]},
    }
    for msgtype, content in bodies.items():
        await book.ok(SEND, sim.message("rm001", msgtype, content))
    refusals: list[tuple[int, str, Json]] = [
        (44004, "text", {"content": ""}),
        (45002, "markdown", {"content": "长" * 683}),
        (40007, "voice", bodies["image"]),
        (40058, "video", {**bodies["video"], "title": "长" * 43}),
        (45034, "textcard", {**bodies["textcard"], "url": "bank.example/t"}),
        (45008, "news", {"articles": [article] * 9}),
        (45008, "news", {"articles": []}),
        (40058, "news", {"articles": [{**article, "title": "长" * 43}]}),
        (45032, "mpnews", {"articles": [{**page, "author": "长" * 22}]}),
        (45002, "mpnews", {"articles": [{**page, "content": "a" * (666 * 1024 + 1)}]}),
        (90200, "miniprogram_notice", {**notice, "appid": ""}),
        (40058, "miniprogram_notice", {**notice, "title": "短"}),
        (90201, "miniprogram_notice", {**notice, "content_item": [{"key": "k", "value": "v"}] * 11}),
        (90202, "miniprogram_notice", {**notice, "content_item": [{"key": "k" * 11, "value": "v"}]}),
        (90203, "miniprogram_notice", {**notice, "content_item": [{"key": "k", "value": "v" * 31}]}),
        (40008, "hologram", {"x": "y"}),
    ]
    for errcode, msgtype, content in refusals:
        await book.no(SEND, errcode, sim.message("rm001", msgtype, content))
    await book.no(SEND, 40074, sim.message("rm001", "news", bodies["news"], safe=1))
    await book.no(SEND, 40058, sim.message("rm001", "text", bodies["text"], safe=2))
    await book.no(SEND, 40058, sim.message("@all", "miniprogram_notice", bodies["miniprogram_notice"]))
    await book.ok("POST /cgi-bin/message/get_statistics", {"time_type": 0})
    await book.no("POST /cgi-bin/message/get_statistics", 40058, {"time_type": 7})


@scenario
async def cards(book: Book) -> None:
    """A card is sent, changed and recalled."""
    sim = book.sim
    sent = await book.ok(SEND, sim.button_card())
    update: Json = {"agentid": sim.config.agent_id, "response_code": sent["response_code"]}
    change = {**update, "button": {"replace_name": "好"}, "partyids": [1]}
    api = "POST /cgi-bin/message/update_template_card"
    await book.no(api, 82002, {**change, "partyids": list(range(101))})
    await book.ok(api, change)
    await book.no(api, 60140, change)
    await book.ok("POST /cgi-bin/message/recall", {"msgid": sent["msgid"]})
    await book.no("POST /cgi-bin/message/recall", 40058, {"msgid": "none"})


@scenario
async def app_groups(book: Book) -> None:
    """A group of staff is made, changed, read and written to."""
    sim = book.sim
    create, update = "POST /cgi-bin/appchat/create", "POST /cgi-bin/appchat/update"
    get, send = "GET /cgi-bin/appchat/get", "POST /cgi-bin/appchat/send"
    new: Json = {"name": "晨会", "owner": "rm001", "userlist": ["rm001", "rm002"], "chatid": "morning1"}
    await book.ok(create, new)
    await book.no(create, 86215, new)
    await book.no(create, 86001, {**new, "chatid": "no blanks"})
    await book.no(create, 86004, {**new, "chatid": "m2", "name": "长" * 51})
    await book.no(create, 86006, {**new, "chatid": "m2", "userlist": ["rm001"]})
    await book.no(create, 86216, {**new, "chatid": "m2", "userlist": ["rm001", "ghost"]})
    await book.no(create, 86207, {**new, "chatid": "m2", "owner": "rm003"})
    await book.ok(update, {"chatid": "morning1", "add_user_list": ["rm003"], "owner": "rm003"})
    await book.no(update, 86003, {"chatid": "none"})
    await book.no(update, 86006, {"chatid": "morning1", "del_user_list": ["rm001", "rm002"]})
    chat = (await book.ok(get, chatid="morning1"))["chat_info"]
    assert (chat["owner"], chat["userlist"]) == ("rm003", ["rm001", "rm002", "rm003"])
    await book.no(get, 86008, chatid=sim.first_group)
    await book.ok(send, {"chatid": "morning1", "msgtype": "text", "text": {"content": "早"}})
    await book.no(send, 86008, {"chatid": sim.first_group, "msgtype": "text", "text": {"content": "早"}})
    await book.no(send, 40008, {"chatid": "morning1", "msgtype": "template_card", "template_card": {}})


@scenario
async def robots(book: Book) -> None:
    """A webhook speaks each of its forms, until it is taken out."""
    sim = book.sim
    send, upload = "POST /cgi-bin/webhook/send", "POST /cgi-bin/webhook/upload_media"
    robot = await sim.do("robots", {"chat_id": sim.first_group})
    key = robot["key"]
    up = await book.upload(upload, b"%PDF-1.4 sheet", key=key, type="file")
    await book.upload_refused(upload, 40005, b"%PDF-1.4 sheet", key=key, type="video")
    await book.upload_refused(upload, 93000, b"%PDF-1.4 sheet", key="none", type="file")
    image = {"base64": base64.b64encode(PNG).decode(), "md5": hashlib.md5(PNG, usedforsecurity=False).hexdigest()}
    notice = {
        "card_type": "text_notice",
        "main_title": {"title": "日报"},
        "card_action": {"type": 1, "url": "https://bank.example"},
    }
    article = {"title": "公告", "url": "https://bank.example/n"}
    bodies: dict[str, Json] = {
        "text": {"content": "您好", "mentioned_list": ["@all"]},
        "markdown": {"content": "<@rm001> **好**"},
        "markdown_v2": {"content": "| a | b |"},
        "image": image,
        "news": {"articles": [article]},
        "file": {"media_id": up["media_id"]},
        "template_card": notice,
    }
    for msgtype, content in bodies.items():
        await book.ok(send, {"msgtype": msgtype, msgtype: content}, key=key)
    refusals: list[tuple[int, str, Json]] = [
        (45002, "text", {"content": "长" * 683}),
        (45002, "markdown_v2", {"content": "长" * 1366}),
        (40058, "image", {**image, "md5": "0" * 32}),
        (40123, "image", {"base64": base64.b64encode(b"no picture").decode(), "md5": "0"}),
        (45008, "news", {"articles": [article] * 9}),
        (40007, "voice", {"media_id": up["media_id"]}),
        (40058, "template_card", sim.button_card()["template_card"]),
        (40008, "video", {"media_id": "x"}),
    ]
    for errcode, msgtype, content in refusals:
        await book.no(send, errcode, {"msgtype": msgtype, msgtype: content}, key=key)
    text: Json = {"msgtype": "text", "text": {"content": "您好"}}
    for _ in range(20 - len(bodies)):
        await book.ok(send, text, key=key)
    await book.no(send, 45009, text, key=key)
    await book.no(send, 40007, {"msgtype": "file", "file": {"media_id": up["media_id"]}}, key=await _other(book))
    await sim.do(f"robots/{key}/remove")
    await book.no(send, 93000, text, key=key)
    shut = await sim.do("robots", {"chat_id": sim.first_group, "allowed": False})
    await book.no(send, 93001, text, key=shut["key"])


async def _other(book: Book) -> str:
    return str((await book.sim.do("robots", {}))["key"])


@scenario
async def media(book: Book) -> None:
    """Uploads of each kind, a part of a download, pictures for ever, attachments."""
    sim = book.sim
    for kind in ("image", "voice", "video", "file"):
        await book.media(kind)
    await book.upload_refused(UPLOAD, 40005, PNG, type="scroll")
    await book.upload_refused(UPLOAD, 40006, b"12345", type="file")
    await book.upload_refused(UPLOAD, 40004, b"no film at all", type="video")
    await book.upload_refused(UPLOAD, 45007, b"#!AMR\n" + (b"\x3c" + bytes(31)) * 3001, type="voice")
    await book.upload_refused(UPLOAD, 40009, PNG + bytes(10 * 1024 * 1024), type="image")
    picture = "POST /cgi-bin/media/uploadimg"
    url = (await book.upload(picture, PNG))["url"]
    assert (await sim.client.get(url)).content == PNG
    await book.upload_refused(picture, 40123, b"no picture")
    attachment = "POST /cgi-bin/media/upload_attachment"
    await book.attachment(1)
    await book.upload_refused(attachment, 40005, VOICE, media_type="voice", attachment_type="1")
    wide = PNG[:16] + (10_801).to_bytes(4) + (100).to_bytes(4) + bytes(16)
    await book.upload_refused(attachment, 40009, wide, media_type="image", attachment_type="1")
    header = b"mvhd" + bytes(12) + (1000).to_bytes(4) + (31_000).to_bytes(4) + bytes(16)
    await book.upload_refused(attachment, 40011, FILM + header, media_type="video", attachment_type="1")
    content = b"0123456789"
    up = await book.upload(UPLOAD, content, type="file")
    query = {"access_token": await sim.token(), "media_id": up["media_id"]}
    part = await sim.client.get("/cgi-bin/media/get", params=query, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    beyond = await sim.client.get("/cgi-bin/media/get", params=query, headers={"Range": "bytes=99-"})
    assert beyond.status_code == 416
    book.succeeded.add("GET /cgi-bin/media/get")
    await book.no("GET /cgi-bin/media/get", 40007, media_id="none")
    spoken = {"type": "voice", "filename": "v.speex", "content_base64": base64.b64encode(VOICE).decode()}
    voice = await sim.do("media", {**spoken, "jssdk": True})
    query["media_id"] = voice["media_id"]
    assert (await sim.client.get("/cgi-bin/media/get/jssdk", params=query)).content == VOICE
    book.succeeded.add("GET /cgi-bin/media/get/jssdk")
    await book.no("GET /cgi-bin/media/get/jssdk", 40007, media_id=up["media_id"])


@scenario
async def uploads_by_url(book: Book) -> None:
    """A film is fetched in the background; the result is there for an hour."""
    start, result = "POST /cgi-bin/media/upload_by_url", "POST /cgi-bin/media/get_upload_by_url_result"
    asked: Json = {"scene": 1, "type": "video", "filename": "a.mp4", "url": "http://127.0.0.1:1/a.mp4"}
    job = await book.ok(start, asked)
    await book.no(start, 40094, {**asked, "url": "ftp://x/a"})
    await book.no(start, 40005, {**asked, "type": "image"})
    await book.sim.platform.fetcher.drain()
    assert (await book.ok(result, {"jobid": job["jobid"]}))["status"] == 3
    await book.no(result, 40088, {"jobid": "none"})


@scenario
async def directory(book: Book) -> None:
    """Members, departments and tags."""
    tag = {"tagname": "理财经理"}
    made = await book.ok("POST /cgi-bin/tag/create", tag)
    await book.no("POST /cgi-bin/tag/create", 40058, tag)
    tagid = made["tagid"]
    for verb in ("addtagusers", "deltagusers"):
        api = f"POST /cgi-bin/tag/{verb}"
        answer = await book.ok(api, {"tagid": tagid, "userlist": ["rm001", "ghost"], "partylist": [3, 99]})
        assert (answer["invalidlist"], answer["invalidparty"]) == ("ghost", [99])
        await book.no(api, 40031, {"tagid": tagid, "userlist": ["ghost"]})
    await book.ok("POST /cgi-bin/tag/addtagusers", {"tagid": tagid, "userlist": ["rm001"]})
    message = {**book.sim.message("", "text", {"content": "您好"}), "totag": f"{tagid}|77"}
    assert (await book.ok(SEND, message))["invalidtag"] == "77"
    await book.ok("POST /cgi-bin/tag/update", {"tagid": tagid, "tagname": "经理"})
    await book.no("POST /cgi-bin/tag/update", 40068, {"tagid": 99, "tagname": "无"})
    await book.ok("GET /cgi-bin/tag/get", tagid=str(tagid))
    await book.no("GET /cgi-bin/tag/get", 40068, tagid="99")
    await book.ok("GET /cgi-bin/tag/list")
    await book.no_token("GET /cgi-bin/tag/list")
    await book.ok("GET /cgi-bin/tag/delete", tagid=str(tagid))
    await book.no("GET /cgi-bin/tag/delete", 40068, tagid=str(tagid))
    for name in ("list", "simplelist", "get"):
        await book.ok(f"GET /cgi-bin/department/{name}", id="3")
        await book.no(f"GET /cgi-bin/department/{name}", 60123, id="99")
    for name in ("list", "simplelist"):
        await book.ok(f"GET /cgi-bin/user/{name}", department_id="3")
        await book.no(f"GET /cgi-bin/user/{name}", 60123, department_id="99")
    await book.ok("GET /cgi-bin/user/get", userid="rm001")
    await book.no("GET /cgi-bin/user/get", 60111, userid="ghost")
    first = await book.ok("POST /cgi-bin/user/list_id", {"limit": 4})
    await book.ok("POST /cgi-bin/user/list_id", {"limit": 4, "cursor": first["next_cursor"]})
    await book.no("POST /cgi-bin/user/list_id", 50100, {"limit": 4, "cursor": "?"})
    openid = (await book.ok("POST /cgi-bin/user/convert_to_openid", {"userid": "rm001"}))["openid"]
    await book.no("POST /cgi-bin/user/convert_to_openid", 60111, {"userid": "ghost"})
    back = await book.ok("POST /cgi-bin/user/convert_to_userid", {"openid": openid})
    assert back["userid"] == "rm001"
    await book.no("POST /cgi-bin/user/convert_to_userid", 60111, {"openid": "none"})
    await book.ok("GET /cgi-bin/agent/get", agentid=str(book.sim.config.agent_id))
    await book.no("GET /cgi-bin/agent/get", 301002, agentid="1")
    await book.ok("GET /cgi-bin/agent/list")
    await book.no_token("GET /cgi-bin/agent/list")


@scenario
async def logins(book: Book) -> None:
    """A code is worth one answer, a ticket half an hour."""
    sim = book.sim
    for api in ("GET /cgi-bin/auth/getuserinfo", "GET /cgi-bin/user/getuserinfo"):
        code = await login(book, "rm001")
        await book.ok(api, code=code)
        await book.no(api, 40029, code=code)
    info = await book.ok("GET /cgi-bin/auth/getuserinfo", code=await login(book, "rm001", "snsapi_privateinfo"))
    outsider = await book.ok("GET /cgi-bin/auth/getuserinfo", code=await login(book, sim.wang_fang))
    assert outsider["external_userid"] == sim.wang_fang
    detail = "POST /cgi-bin/auth/getuserdetail"
    assert (await book.ok(detail, {"user_ticket": info["user_ticket"]}))["userid"] == "rm001"
    await book.no(detail, 40058, {"user_ticket": "none"})


async def login(book: Book, person: str, scope: str = "snsapi_base") -> str:
    """Let someone follow the login address; return the code the browser brings back."""
    sim = book.sim
    query = {
        "appid": sim.config.corp_id,
        "redirect_uri": "http://127.0.0.1:8000/login?next=1",
        "response_type": "code",
        "scope": scope,
        "state": "abc123",
        "agentid": str(sim.config.agent_id),
        "sim_person": person,
    }
    answer = await sim.client.get("/connect/oauth2/authorize", params=query)
    assert answer.status_code == 302, answer.text
    target = answer.headers["location"]
    assert target.startswith("http://127.0.0.1:8000/login?next=1&code=")
    assert target.endswith("&state=abc123")
    return str(target.split("code=")[1].split("&")[0])


@scenario
async def tickets(book: Book) -> None:
    """A ticket per kind, the same inside its life."""
    corp, agent = "GET /cgi-bin/get_jsapi_ticket", "GET /cgi-bin/ticket/get"
    first = await book.ok(corp)
    assert (await book.ok(corp))["ticket"] == first["ticket"]
    await book.no_token(corp)
    assert (await book.ok(agent, type="agent_config"))["ticket"] != first["ticket"]
    await book.no(agent, 91040, type="jsapi")


@scenario
async def archive_consent(book: Book) -> None:
    """Who is archived, who agreed, internal groups only."""
    sim, base = book.sim, "/cgi-bin/msgaudit"
    await book.ok(f"POST {base}/get_permit_user_list", {}, "archive")
    await book.no(f"POST {base}/get_permit_user_list", 40058, {"type": 9}, "archive")
    pair = {"userid": "rm001", "exteranalopenid": sim.wang_fang}
    await book.ok(f"POST {base}/check_single_agree", {"info": [pair]}, "archive")
    await book.no(f"POST {base}/check_single_agree", 301060, {"info": [pair] * 101}, "archive")
    await book.ok(f"POST {base}/check_room_agree", {"roomid": sim.first_group}, "archive")
    await book.no(f"POST {base}/check_room_agree", 40058, {"roomid": "none"}, "archive")
    new = {"name": "晨会", "userlist": ["rm001", "rm002"], "chatid": "morning1"}
    await book.ok("POST /cgi-bin/appchat/create", new)
    await book.ok(f"POST {base}/groupchat/get", {"roomid": "morning1"}, "archive")
    await book.no(f"POST {base}/groupchat/get", 301059, {"roomid": sim.first_group}, "archive")
    await book.ok(f"GET {base}/get_robot_info", None, "archive", robot_id=sim.config.aibot_id)
    await book.no(f"GET {base}/get_robot_info", 40058, None, "archive", robot_id="none")
