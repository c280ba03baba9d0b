"""微信客服 in the composed service: a person takes a session and gives it back; a second notice changes nothing."""

import httpx

from tests.postgres import PostgresServer
from tests.service.bank import Bank, eventually, open_bank

ACCOUNT = "wkDEMO0001"


async def _add_servicer(bank: Bank) -> None:
    client = bank.nodes[0].platform.client
    body = {"open_kfid": ACCOUNT, "userid_list": ["rm001"]}
    await client.call("POST /cgi-bin/kf/servicer/add", body, app="kf")


async def _state(bank: Bank) -> int:
    rows = (await bank.platform.get("/_sim/kf/sessions")).json()
    return next((int(row["state"]) for row in rows if row["external_userid"] == bank.wang), 4)


async def _said(bank: Bank, words: str) -> int:
    return sum(words in str(line["text"]) for line in await bank.chat("kf", bank.wang) if line["sender_kind"] == "bot")


async def test_a_person_takes_the_session_over_and_gives_it_back(database_url: str) -> None:
    async with open_bank(database_url) as bank:
        await _add_servicer(bank)
        await bank.do("kf/messages", external_userid=bank.wang, text="转人工")
        await bank.last("kf", bank.wang, "正在为您接入人工服务")
        assert await _state(bank) == 3
        await bank.do("kf/messages", external_userid=bank.wang, text="大额存单起存多少")
        await bank.do("kf/servicers/messages", external_userid=bank.wang, text="20万起，我发您资料")
        await bank.do("kf/servicers/end", external_userid=bank.wang)
        await bank.do("kf/messages", external_userid=bank.wang, text="一年定期利率是多少")
        await bank.last("kf", bank.wang, "到期前不再变动")
        assert await _said(bank, "20万元起") == 0, "what the person was asked, the bot did not answer"


async def test_without_servicers_the_manager_gets_a_card_and_the_bot_stays(database_url: str) -> None:
    async with open_bank(database_url) as bank:
        await bank.do("kf/messages", external_userid=bank.wang, text="转人工")
        await bank.last("app", "rm001", "客户要求人工")
        assert await _state(bank) == 0
        await bank.do("kf/messages", external_userid=bank.wang, text="大额存单起存多少")
        await bank.last("kf", bank.wang, "20万元起")


async def test_two_nodes_told_twice_answer_each_message_once(postgres: PostgresServer) -> None:
    with postgres.empty_database() as url:
        async with open_bank(url, nodes=2) as bank:
            await _twice(bank.platform)
            for text in ("大额存单起存多少", "大额存单起存多少"):
                await bank.do("kf/messages", external_userid=bank.wang, text=text)

            async def both() -> bool:
                return await _said(bank, "20万元起") >= 2

            await eventually(both, 40)
            await bank.do("kf/announce")
            await bank.all_sent(2)
            assert await _said(bank, "20万元起") == 2


async def _twice(platform: httpx.AsyncClient) -> None:
    """Have every callback come twice."""
    answer = await platform.put("/_sim/faults", json={"callbacks": {"duplicate": 1.0}})
    assert answer.status_code == 200, answer.text
