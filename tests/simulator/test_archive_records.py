"""The archive's control side: every kind of record, gaps, repeats, broken ones, keys, switches and faults."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.archive_examples import BODY_KEYS, EXAMPLES, TOP_LEVEL_IDS, WITH_FILE
from tests.simulator.harness import Json, Sim, public_pem


async def put(sim: Sim, msgtype: str, **more: object) -> Json:
    """Put one record into the archive."""
    return await sim.do("archive/records", {"msgtype": msgtype, **more})


@pytest.mark.parametrize("msgtype", sorted(EXAMPLES))
async def test_every_kind_of_record_is_pulled_in_its_documented_form(
    sim: Sim, archive_key: rsa.RSAPrivateKey, msgtype: str
) -> None:
    said = await put(sim, msgtype, tolist=[sim.wang_fang])
    (record,) = await sim.pull(archive_key)
    assert {**said["record"], "seq": 1} == record
    assert (record["from"], record["tolist"], record["roomid"]) == ("rm001", [sim.wang_fang], "")
    assert record["action"] == ("recall" if msgtype == "revoke" else "send")
    body = record[BODY_KEYS.get(msgtype, msgtype)]
    if msgtype in WITH_FILE:
        assert (await sim.sdk("media", {"sdkfileid": body["sdkfileid"]}))["is_finish"] is True
    if msgtype in TOP_LEVEL_IDS:
        assert record[TOP_LEVEL_IDS[msgtype]]


async def test_a_switch_has_no_msgtype(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    await put(sim, "switch", sender="rm002")
    (record,) = await sim.pull(archive_key)
    assert set(record) == {"msgid", "action", "time", "user", "seq"}
    assert (record["action"], record["user"]) == ("switch", "rm002")


async def test_body_and_fields_may_be_given(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    content = base64.b64encode("内容".encode()).decode()
    await put(sim, "file", body={"filename": "另一份.txt"}, file_base64=content, fields={"roomid": "wrX", "extra": 1})
    await put(sim, "kind_of_tomorrow", body={"a": 1}, external=False)
    file, unknown = await sim.pull(archive_key)
    assert (file["file"]["filename"], file["file"]["filesize"], file["roomid"], file["extra"]) == (
        "另一份.txt",
        6,
        "wrX",
        1,
    )
    assert unknown["kind_of_tomorrow"] == {"a": 1}
    assert not unknown["msgid"].endswith("_external")


async def test_numbers_may_have_gaps_and_messages_may_repeat(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    first = await put(sim, "text")
    assert await sim.do("archive/gap", {"count": 5}) == {"seq": 6}
    await sim.do("archive/repeat", {"msgid": first["msgid"]})
    records = await sim.pull(archive_key)
    assert [record["seq"] for record in records] == [1, 7]
    assert records[0]["msgid"] == records[1]["msgid"]
    await sim.do("archive/repeat", {"msgid": "none"}, status=404)


async def test_rotation_leaves_what_was_said_before_to_the_old_key(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    newer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    chat = {"userid": "rm001", "external_userid": sim.wang_fang, "sender": "rm001"}
    await sim.do("chats/messages", {**chat, "text": "旧"})
    await sim.do("archive/keys", {"public_key_pem": public_pem(newer), "publickey_ver": 7})
    await sim.do("chats/messages", {**chat, "text": "新"})
    (old,) = await sim.pull(archive_key, limit=1)
    (new,) = await sim.pull(newer, seq=1)
    assert (old["text"]["content"], new["text"]["content"]) == ("旧", "新")
    asked = {"corpid": sim.config.corp_id, "secret": sim.config.archive_secret, "seq": 0, "limit": 10}
    assert [row["publickey_ver"] for row in (await sim.sdk("chatdata", asked))["chatdata"]] == [1, 7]
    await sim.do("archive/keys", {"public_key_pem": "no key", "publickey_ver": 8}, status=409)


async def test_switches_and_faults_change_the_answers(sim: Sim) -> None:
    await put(sim, "text")
    asked = {"corpid": sim.config.corp_id, "secret": sim.config.archive_secret, "seq": 0, "limit": 10}
    await sim.do("archive/switches", {"trusted_ip": False})
    assert (await sim.sdk("chatdata", asked))["errcode"] == 301042
    await sim.do("archive/switches", {"trusted_ip": True, "most_bytes": 1})
    assert (await sim.sdk("chatdata", asked))["errcode"] == 301058
    assert (await sim.do("archive/switches", {"most_bytes": 10**6}))["trusted_ip"] is True
    await sim.client.post("/_sim/archive/faults", json=[{"call": "chatdata", "errcode": 301052, "count": 2}])
    assert [(await sim.sdk("chatdata", asked))["errcode"] for _ in range(3)] == [301052, 301052, 0]
    calls = await sim.see("archive/calls")
    assert [call["errcode"] for call in calls] == [301042, 301058, 301052, 301052, 0]


async def test_old_records_are_gone_at_the_source(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    await put(sim, "text")
    sim.clock.advance(6 * 86_400)
    await put(sim, "link")
    assert [record["msgtype"] for record in await sim.pull(archive_key)] == ["link"]


async def test_the_native_answers_carry_their_return_value_in_a_header(sim: Sim) -> None:
    await sim.do("archive/switches", {"trusted_ip": False})
    asked = {"corpid": sim.config.corp_id, "secret": sim.config.archive_secret, "seq": 0, "limit": 10}
    refused = await sim.client.post("/_sdk/native/chatdata", json=asked)
    assert refused.headers["X-Sdk-Ret"] == "10009"
    opened = await sim.client.post("/_sdk/native/decrypt", json={"encrypt_key": "", "encrypt_msg": ""})
    assert (opened.headers["X-Sdk-Ret"], opened.content) == ("10008", b"")
