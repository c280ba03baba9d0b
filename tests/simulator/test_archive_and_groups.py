"""Customer chats and groups, their session archive, and the AI bot in a group."""

import asyncio
import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator import SimConfig, crypto
from tests.simulator.harness import Json, Sim, close_sim, new_sim

AUDIT = "POST /cgi-bin/msgaudit"


async def say(sim: Sim, text: str, sender: str | None = None, status: int = 200, **more: bool) -> Json:
    """Let someone (王芳 by default) write in the first group."""
    body = {"sender": sender or sim.wang_fang, "text": text, **more}
    return await sim.do(f"groups/{sim.first_group}/messages", body, status)


async def test_group_message_is_archived_and_announced(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    said = await say(sim, "大额存单还有额度吗")
    await asyncio.sleep(0.02)
    await sim.platform.callbacks.drain()
    (notice,) = sim.bot.events("msgaudit_notify")
    assert (notice["FromUserName"], notice["AgentID"]) == ("sys", "2000004")
    (record,) = await sim.pull(archive_key)
    assert record["msgid"] == said["msgid"]
    assert record["msgid"].endswith("_external")
    assert (record["action"], record["msgtype"], record["roomid"]) == ("send", "text", sim.first_group)
    assert record["from"] == sim.wang_fang
    assert sim.wang_fang not in record["tolist"]
    assert "rm001" in record["tolist"]
    assert record["text"] == {"content": "大额存单还有额度吗"}
    assert abs(record["msgtime"] - sim.clock.now() * 1000) < 60_000
    title = (await sim.see("conversations", kind="group", key=sim.first_group))["title"]
    assert title.startswith("城东理财交流1群（")


async def test_notices_keep_their_gap(sim: Sim) -> None:
    for number in range(4):
        await say(sim, f"第{number}条")
    await asyncio.sleep(0.2)
    await sim.platform.callbacks.drain()
    assert 1 <= len(sim.bot.events("msgaudit_notify")) <= 3


async def test_single_chat_is_archived_in_both_directions(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    chat = {"userid": "rm001", "external_userid": sim.wang_fang}
    await sim.do("chats/messages", {**chat, "sender": sim.wang_fang, "text": "在吗"})
    await sim.do("chats/messages", {**chat, "sender": "rm001", "text": "在的"})
    asked, answered = await sim.pull(archive_key)
    assert (asked["from"], asked["tolist"], asked["roomid"]) == (sim.wang_fang, ["rm001"], "")
    assert (answered["from"], answered["tolist"]) == ("rm001", [sim.wang_fang])
    (rest,) = await sim.pull(archive_key, seq=asked["seq"])
    assert rest == answered
    assert len(await sim.pull(archive_key, limit=1)) == 1
    lines = await sim.lines("single", f"rm001|{sim.wang_fang}")
    assert [line["sender_name"] for line in lines] == ["王芳", "李娜"]
    newer = await sim.see("conversations", kind="single", key=f"rm001|{sim.wang_fang}", after=str(lines[0]["seq"]))
    assert [line["text"] for line in newer["messages"]] == ["在的"]
    assert newer["title"] == "王芳"


async def test_customer_who_did_not_agree_is_not_archived(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    refuser = next(row for row in sim.platform.world.customers.rows.values() if not row.agreed)
    owner = sim.platform.world.list_followers_of(refuser.external_userid)[0].userid
    chat = {"userid": owner, "external_userid": refuser.external_userid}
    await sim.do("chats/messages", {**chat, "sender": owner, "text": "您好"})
    assert await sim.pull(archive_key) == []
    (line,) = await sim.lines("single", f"{owner}|{refuser.external_userid}")
    assert "未同意" in line["note"]


async def test_strangers_cannot_write(sim: Sim) -> None:
    await say(sim, "hi", sender="rm005", status=409)
    await sim.do("groups/wrNONE/messages", {"sender": sim.wang_fang, "text": "hi"}, status=404)
    chat = {"userid": "rm003", "external_userid": sim.wang_fang, "sender": "rm003", "text": "hi"}
    await sim.do("chats/messages", chat, status=404)
    chat |= {"userid": "rm001", "sender": "rm002"}
    await sim.do("chats/messages", chat, status=409)
    assert await sim.lines("group", sim.first_group) == []
    assert (await sim.see("health"))["archive_seq"] == 0


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [({"corpid": "ww9"}, 40013), ({"secret": "x"}, 40001), ({"limit": 1001}, 40058), ({"limit": 0}, 40058)],
)
async def test_bad_archive_pull_is_refused(sim: Sim, changes: Json, errcode: int) -> None:
    good: Json = {"corpid": sim.config.corp_id, "secret": sim.config.archive_secret, "seq": 0, "limit": 1000}
    assert (await sim.sdk("chatdata", {**good, **changes}))["errcode"] == errcode
    assert (await sim.sdk("chatdata", good))["errcode"] == 0


async def test_archive_without_a_public_key_is_not_switched_on(config: SimConfig) -> None:
    sim = new_sim(replace(config, archive_public_key_pem=None))
    asked = {"corpid": sim.config.corp_id, "secret": sim.config.archive_secret, "seq": 0, "limit": 1}
    assert (await sim.sdk("chatdata", asked))["errcode"] == 301053
    await close_sim(sim)


async def test_record_opens_only_with_its_own_key(sim: Sim) -> None:
    await say(sim, "在吗")
    asked = {"corpid": sim.config.corp_id, "secret": sim.config.archive_secret, "seq": 0, "limit": 1}
    (row,) = (await sim.sdk("chatdata", asked))["chatdata"]
    assert row["publickey_ver"] == 1
    another = "0" * 64
    wrong = {"encrypt_key": another, "encrypt_msg": row["encrypt_chat_msg"]}
    assert (await sim.sdk("decrypt", wrong))["ret"] == 10006
    assert (await sim.sdk("decrypt", {"encrypt_key": another, "encrypt_msg": "?"}))["ret"] == 10006
    assert (await sim.sdk("decrypt", {"encrypt_key": "x", "encrypt_msg": row["encrypt_chat_msg"]}))["ret"] == 10008


async def test_consent_is_told_per_pair_and_per_room(sim: Sim) -> None:
    refuser = next(row for row in sim.platform.world.customers.rows.values() if not row.agreed)
    pairs = [{"userid": "rm001", "exteranalopenid": person} for person in (sim.wang_fang, refuser.external_userid)]
    told = await sim.api(f"{AUDIT}/check_single_agree", {"info": pairs}, app="archive")
    assert [row["agree_status"] for row in told["agreeinfo"]] == ["Agree", "Disagree"]
    room = await sim.api(f"{AUDIT}/check_room_agree", {"roomid": sim.first_group}, app="archive")
    assert sim.wang_fang in {row["exteranalopenid"] for row in room["agreeinfo"]}
    seats = await sim.api(f"{AUDIT}/get_permit_user_list", {}, app="archive")
    assert "rm001" in seats["ids"]


@pytest.mark.parametrize(
    ("name", "body", "errcode"),
    [
        ("check_single_agree", {"info": []}, 40063),
        ("check_single_agree", {"info": [{"userid": "a", "exteranalopenid": "b"}] * 101}, 301060),
        ("check_single_agree", {"info": [{"userid": "ghost", "exteranalopenid": "wmNONE"}]}, 301061),
        ("check_single_agree", {"info": [{"userid": "rm001"}]}, 40063),
        ("check_room_agree", {"roomid": "wrNONE"}, 40058),
        ("groupchat/get", {"roomid": "wrNONE"}, 301059),
        ("get_permit_user_list", {"type": 9}, 40058),
    ],
)
async def test_bad_audit_question_is_refused(sim: Sim, name: str, body: Json, errcode: int) -> None:
    assert await sim.refused(f"{AUDIT}/{name}", body, app="archive") == errcode
    assert await sim.refused(f"{AUDIT}/{name}", body, app="app") == 48002


async def test_mention_reaches_the_bot_only_where_the_group_admits_it(sim: Sim) -> None:
    assert (await say(sim, "利率多少", mention_bot=True))["bot_msgid"] is None
    assert [got for got in sim.bot.received if got.path == "/wecom/aibot"] == []
    await sim.do(f"groups/{sim.first_group}/aibot", {"admitted": True})
    said = await say(sim, "利率多少", mention_bot=True)
    (got,) = [got for got in sim.bot.received if got.path == "/wecom/aibot"]
    assert (got.receive_id, list(got.envelope)) == ("", ["encrypt"])
    assert got.fields["msgid"] == said["bot_msgid"]
    assert (got.fields["chattype"], got.fields["chatid"]) == ("group", sim.first_group)
    assert got.fields["from"] == {"userid": sim.wang_fang}
    assert got.fields["aibotid"] == "aib0000000000000001"
    assert got.fields["text"]["content"] == "@客户经理助手 利率多少"
    assert (await say(sim, "没有提到"))["bot_msgid"] is None


async def mentioned(sim: Sim) -> str:
    """Mention the bot in an admitting group; return the response_url."""
    await sim.do(f"groups/{sim.first_group}/aibot", {"admitted": True})
    await say(sim, "利率多少", mention_bot=True)
    (got,) = [got for got in sim.bot.received if got.path == "/wecom/aibot"]
    return str(got.fields["response_url"])


async def test_bot_answers_once_through_the_response_url(sim: Sim) -> None:
    url = await mentioned(sim)
    assert url.startswith("http://sim.example/cgi-bin/aibot/response?response_code=")
    body: Json = {"msgtype": "markdown", "markdown": {"content": "**三年期** 见公告"}}
    bad = await sim.client.post(url, json={"msgtype": "stream"})
    assert bad.json()["errcode"] == 40008
    long = {"msgtype": "markdown", "markdown": {"content": "x" * 20481}}
    assert (await sim.client.post(url, json=long)).json()["errcode"] == 45002
    raw = '{"msgtype": "markdown", "markdown": {"content": "**三年期** 见公告"}}'.encode()
    assert (await sim.client.post(url, content=raw)).json()["errcode"] == 0
    assert (await sim.client.post(url, content=raw)).json()["errcode"] == 846606
    line = (await sim.lines("group", sim.first_group))[-1]
    assert (line["text"], line["sender_kind"], line["kind"]) == (body["markdown"]["content"], "bot", "markdown")
    assert "利率多少" in line["note"]
    assert len(await sim.see("sent", kind="aibot", to=sim.first_group)) == 1
    unknown = await sim.client.post("/cgi-bin/aibot/response?response_code=x", json=body)
    assert unknown.json()["errcode"] == 846605


async def test_response_url_dies_after_an_hour(sim: Sim) -> None:
    url = await mentioned(sim)
    sim.clock.advance(3601)
    raw = b'{"msgtype": "markdown", "markdown": {"content": "late"}}'
    assert (await sim.client.post(url, content=raw)).json()["errcode"] == 846604


async def test_bot_may_answer_passively_with_a_stream(sim: Sim) -> None:
    target = sim.config.aibot_callback
    message = '{"msgtype": "stream", "stream": {"id": "s1", "finish": true, "content": "见公告"}}'
    encrypted = crypto.encrypt(message, target.aes_key, "")
    signature = crypto.signature(target.token, "1700000000", "42", encrypted)
    sim.bot.answer = (
        f'{{"encrypt": "{encrypted}", "msgsignature": "{signature}", "timestamp": 1700000000, "nonce": "42"}}'
    )
    await mentioned(sim)
    line = (await sim.lines("group", sim.first_group))[-1]
    assert (line["text"], line["sender_kind"]) == ("见公告", "bot")


async def test_media_is_uploaded_sent_and_archived(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    content = b"%PDF-1.4 " + bytes(600 * 1024)
    query = {"access_token": await sim.token(), "type": "file"}
    files = {"media": ("sheet.pdf", content, "application/pdf")}
    up = (await sim.client.post("/cgi-bin/media/upload", params=query, files=files)).json()
    assert (up["errcode"], up["type"]) == (0, "file")
    got = await sim.client.get(
        "/cgi-bin/media/get", params={"access_token": await sim.token(), "media_id": up["media_id"]}
    )
    assert (got.content, got.headers["content-type"]) == (content, "application/pdf")
    made = await sim.api(
        "POST /cgi-bin/externalcontact/add_msg_template",
        {
            "chat_type": "group",
            "sender": "rm001",
            "chat_id_list": [sim.first_group],
            "attachments": [
                {"msgtype": "file", "file": {"media_id": up["media_id"]}},
                {"msgtype": "link", "link": {"title": "公告", "url": "https://bank.example"}},
            ],
        },
    )
    await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
    file, link = await sim.pull(archive_key)
    assert (file["file"]["filename"], file["file"]["filesize"]) == ("sheet.pdf", len(content))
    assert link["link"]["title"] == "公告"
    first = await sim.sdk("media", {"sdkfileid": file["file"]["sdkfileid"]})
    assert (first["ret"], first["is_finish"]) == (0, False)
    second = await sim.sdk("media", {"sdkfileid": file["file"]["sdkfileid"], "indexbuf": first["outindexbuf"]})
    assert second["is_finish"] is True
    assert base64.b64decode(first["data"]) + base64.b64decode(second["data"]) == content
    assert (await sim.sdk("media", {"sdkfileid": "none"}))["ret"] == 10005
    bad = {"sdkfileid": file["file"]["sdkfileid"], "indexbuf": "?"}
    assert (await sim.sdk("media", bad))["ret"] == 10000


@pytest.mark.parametrize(
    ("kind", "content", "errcode"),
    [
        ("scroll", b"123456", 40005),
        ("file", b"", 44001),
        ("file", b"12345", 40006),
        ("image", b"no picture", 40123),
        ("voice", b"no voice", 40004),
        ("voice", b"#!AMR" + bytes(2 * 1024 * 1024), 45001),
    ],
)
async def test_bad_upload_is_refused(sim: Sim, kind: str, content: bytes, errcode: int) -> None:
    query = {"access_token": await sim.token(), "type": kind}
    files = {"media": ("x", content, "application/octet-stream")}
    up = (await sim.client.post("/cgi-bin/media/upload", params=query, files=files)).json()
    assert up["errcode"] == errcode


async def test_media_expires_after_three_days(sim: Sim) -> None:
    query = {"access_token": await sim.token(), "type": "file"}
    files = {"media": ("x.txt", b"123456", "text/plain")}
    up = (await sim.client.post("/cgi-bin/media/upload", params=query, files=files)).json()
    sim.clock.advance(3 * 86400 + 5)
    sim.tokens.clear()
    assert await sim.refused("GET /cgi-bin/media/get", media_id=up["media_id"]) == 40007
