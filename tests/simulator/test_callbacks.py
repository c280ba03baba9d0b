"""Callbacks to the bot: envelope, retries, log, passive replies."""

from dataclasses import replace

import httpx
import pytest

from simulator import RetryPlan, SimConfig, crypto, xml
from tests.simulator.harness import Sim, close_sim, new_sim


async def test_member_text_arrives_signed_and_encrypted(sim: Sim) -> None:
    written = await sim.do("app/messages", {"userid": "rm001", "text": "大额存单利率?<>&]]>"})
    (got,) = sim.bot.received
    assert got.path == "/wecom/app"
    assert got.envelope["ToUserName"] == sim.config.corp_id
    assert got.envelope["AgentID"] == "1000002"
    assert got.receive_id == sim.config.corp_id
    assert got.fields["MsgType"] == "text"
    assert got.fields["Content"] == "大额存单利率?<>&]]>"
    assert got.fields["FromUserName"] == "rm001"
    assert got.fields["MsgId"] == written["msg_id"]
    assert int(got.fields["MsgId"]) < 2**63
    (logged,) = await sim.see("callbacks")
    assert (logged["kind"], logged["state"]) == ("app", "delivered")
    assert [attempt["status"] for attempt in logged["attempts"]] == [200]


async def test_silence_is_retried_with_the_same_body_and_a_fresh_signature(sim: Sim) -> None:
    sim.bot.script = [httpx.ReadTimeout("slow"), httpx.ConnectError("down")]
    await sim.do("app/messages", {"userid": "rm001", "text": "在吗"})
    assert len({got.fields["MsgId"] for got in sim.bot.received}) == 1
    assert len({got.query["msg_signature"] for got in sim.bot.received}) == 3
    (logged,) = await sim.see("callbacks")
    assert logged["state"] == "delivered"
    assert [attempt["error"] for attempt in logged["attempts"]] == ["ReadTimeout", "ConnectError", None]


async def test_callback_is_lost_after_three_attempts(sim: Sim) -> None:
    sim.bot.script = [httpx.ConnectError("down")] * 4
    await sim.do("app/messages", {"userid": "rm001", "text": "在吗"})
    (logged,) = await sim.see("callbacks")
    assert (logged["state"], len(logged["attempts"])) == ("lost", 3)


async def test_error_status_is_an_answer_unless_the_plan_says_otherwise(sim: Sim, config: SimConfig) -> None:
    sim.bot.script = [403]
    await sim.do("app/messages", {"userid": "rm001", "text": "在吗"})
    (logged,) = await sim.see("callbacks")
    assert (logged["state"], len(logged["attempts"])) == ("refused", 1)

    plan = RetryPlan(backoff_seconds=(0.0,), retry_on_error_status=True)
    other = new_sim(replace(config, retry=plan), [500, 500])
    await other.do("app/messages", {"userid": "rm001", "text": "在吗"})
    (logged,) = await other.see("callbacks")
    assert (logged["state"], len(logged["attempts"])) == ("delivered", 3)
    await close_sim(other)


async def test_entering_the_app_is_called_back(sim: Sim) -> None:
    await sim.do("app/enter", {"userid": "rm001"})
    (event,) = sim.bot.events("enter_agent")
    assert (event["FromUserName"], event["EventKey"], event["AgentID"]) == ("rm001", "", "1000002")


@pytest.mark.parametrize("body", [{"userid": "ghost", "text": "x"}])
async def test_unknown_member_cannot_write(sim: Sim, body: dict[str, str]) -> None:
    await sim.do("app/messages", body, status=404)
    await sim.do("app/enter", {"userid": "ghost"}, status=404)
    await sim.do("app/messages", {"userid": "rm001", "text": ""}, status=422)
    assert sim.bot.received == []


def passive(sim: Sim, fields: dict[str, object], token: str | None = None) -> str:
    """Return an encrypted passive reply to rm001 as a bot would write it."""
    target = sim.config.app_callback
    addressed = {"ToUserName": "rm001", "FromUserName": sim.config.corp_id, **fields}
    encrypted = crypto.encrypt(xml.render(addressed), target.aes_key, target.receive_id)
    signature = crypto.signature(token or target.token, "1700000000", "42", encrypted)
    return xml.render({"Encrypt": encrypted, "MsgSignature": signature, "TimeStamp": 1700000000, "Nonce": "42"})


async def test_passive_text_is_shown_to_the_member(sim: Sim) -> None:
    sim.bot.answer = passive(sim, {"MsgType": "text", "Content": "马上就来"})
    await sim.do("app/messages", {"userid": "rm001", "text": "在吗"})
    assert [line["text"] for line in await sim.lines("app", "rm001")] == ["在吗", "马上就来"]


async def test_passive_button_update_closes_the_card(sim: Sim) -> None:
    await sim.api("POST /cgi-bin/message/send", sim.button_card())
    sim.bot.answer = passive(sim, {"MsgType": "update_button", "Button": {"ReplaceName": "已收到"}})
    await sim.do("app/clicks", {"userid": "rm001", "task_id": "task-1", "key": "yes"})
    card, _ = await sim.lines("app", "rm001")
    assert (card["card"]["buttons"], card["note"]) == ([], "已收到")


@pytest.mark.parametrize("answer", ["wrongly-signed", "<xml>", "<a>b</a>", "plain words"])
async def test_passive_reply_that_is_none_is_dropped(sim: Sim, answer: str) -> None:
    if answer == "wrongly-signed":
        answer = passive(sim, {"MsgType": "text", "Content": "?"}, token="other")
    sim.bot.answer = answer
    await sim.do("app/messages", {"userid": "rm001", "text": "在吗"})
    assert len(await sim.lines("app", "rm001")) == 1
    (logged,) = await sim.see("callbacks")
    assert logged["state"] == "delivered"
    assert "not understood" in logged["attempts"][0]["error"]


async def test_adding_a_customer_is_called_back_with_a_welcome_code(sim: Sim) -> None:
    added = await sim.do("customers/add", {"userid": "rm001", "name": "赵新", "state": "branch-02"})
    (event,) = sim.bot.events("change_external_contact")
    assert event["ChangeType"] == "add_external_contact"
    assert event["FromUserName"] == "sys"
    assert (event["UserID"], event["ExternalUserID"]) == ("rm001", added["external_userid"])
    assert (event["State"], event["WelcomeCode"]) == ("branch-02", added["welcome_code"])
    assert "AgentID" not in sim.bot.received[0].envelope
    again = {"userid": "rm001", "external_userid": added["external_userid"]}
    await sim.do("customers/add", again, status=409)
    await sim.do("customers/add", {"userid": "co001"}, status=409)
    await sim.do("customers/add", {"userid": "rm002", "external_userid": added["external_userid"]})
