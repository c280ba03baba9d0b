"""微信客服 and the AI bot's late answers."""

from tests.simulator.contract.book import Book, scenario
from tests.simulator.harness import Json

KF = "/cgi-bin/kf"


@scenario
async def kf_accounts(book: Book) -> None:
    """Accounts, links, servicers, and who may be recommended."""
    sim = book.sim
    picture = await book.media()
    new: Json = {"name": "理财热线", "media_id": picture}
    made = await book.ok(f"POST {KF}/account/add", new)
    await book.no(f"POST {KF}/account/add", 40058, {**new, "name": "长" * 17})
    await book.ok(f"POST {KF}/account/list", {})
    await book.no(f"POST {KF}/account/list", 40058, {"limit": 101})
    await book.ok(f"POST {KF}/account/update", {**made, "name": "热线"})
    await book.no(f"POST {KF}/account/update", 40007, {**made, "media_id": "none"})
    await book.ok(f"POST {KF}/add_contact_way", {**made, "scene": "poster"})
    await book.no(f"POST {KF}/add_contact_way", 40058, {**made, "scene": "no blanks"})
    people: Json = {**made, "userid_list": ["rm001"]}
    for verb in ("add", "del"):
        await book.ok(f"POST {KF}/servicer/{verb}", people)
        await book.no(f"POST {KF}/servicer/{verb}", 40063, made)
    await book.ok(f"GET {KF}/servicer/list", **made)
    await book.no(f"GET {KF}/servicer/list", 40063)
    await book.ok(f"GET {KF}/customer/get_upgrade_service_config")
    await book.no_token(f"GET {KF}/customer/get_upgrade_service_config")
    about: Json = {**made, "external_userid": sim.wang_fang}
    await book.ok(f"POST {KF}/customer/upgrade_service", {**about, "type": 1, "member": {"userid": "rm001"}})
    await book.no(f"POST {KF}/customer/upgrade_service", 40003, {**about, "type": 1, "member": {"userid": "ghost"}})
    await book.ok(f"POST {KF}/customer/cancel_upgrade_service", about)
    await book.no(f"POST {KF}/customer/cancel_upgrade_service", 40096, {**about, "external_userid": "none"})
    await book.ok(f"POST {KF}/account/del", made)
    await book.no(f"POST {KF}/account/del", 40063, {})


@scenario
async def kf_talk(book: Book) -> None:
    """A customer comes, writes, is answered and handed on."""
    sim = book.sim
    customer = sim.wang_fang
    about: Json = {"open_kfid": sim.config.open_kfid, "external_userid": customer}
    text: Json = {"msgtype": "text", "text": {"content": "您好"}}
    entered = await sim.do("kf/enter", {"external_userid": customer})
    await book.ok(f"POST {KF}/send_msg_on_event", {"code": entered["welcome_code"], **text}, "kf")
    await book.no(f"POST {KF}/send_msg_on_event", 40058, {"code": "none", **text}, "kf")
    await sim.do("kf/messages", {"external_userid": customer, "text": "在吗"})
    await book.ok(f"POST {KF}/sync_msg", {"open_kfid": sim.config.open_kfid}, "kf")
    await book.no(f"POST {KF}/sync_msg", 95007, {"open_kfid": sim.config.open_kfid, "token": "none"}, "kf")
    send: Json = {"open_kfid": sim.config.open_kfid, "touser": customer, **text}
    await book.ok(f"POST {KF}/send_msg", send, "kf")
    await book.no(f"POST {KF}/send_msg", 40096, {**send, "touser": "none"}, "kf")
    await book.ok(f"POST {KF}/customer/batchget", {"external_userid_list": [customer]}, "kf")
    await book.no(f"POST {KF}/customer/batchget", 40063, {"external_userid_list": []}, "kf")
    await book.ok(f"POST {KF}/service_state/get", about, "kf")
    await book.no(f"POST {KF}/service_state/get", 40096, {**about, "external_userid": "none"}, "kf")
    await book.ok(f"POST {KF}/service_state/trans", {**about, "service_state": 2}, "kf")
    await book.no(f"POST {KF}/service_state/trans", 40058, {**about, "service_state": 9}, "kf")
    for name in ("get_corp_statistic", "get_servicer_statistic"):
        now = sim.clock.seconds()
        span: Json = {"open_kfid": sim.config.open_kfid, "start_time": now - 86_400, "end_time": now}
        await book.ok(f"POST {KF}/{name}", span, "kf")
        await book.no(f"POST {KF}/{name}", 40058, {**span, "start_time": now + 86_400}, "kf")
    await book.ok(f"GET {KF}/get_corp_qualification", None, "kf")
    await book.no_token(f"GET {KF}/get_corp_qualification")


@scenario
async def kf_knowledge(book: Book) -> None:
    """Groups and questions of the native bot."""
    base = f"POST {KF}/knowledge"
    made = await book.ok(f"{base}/add_group", {"name": "存款"})
    await book.no(f"{base}/add_group", 40063, {"name": ""})
    group = {"group_id": made["group_id"]}
    await book.ok(f"{base}/mod_group", {**group, "name": "存款类"})
    await book.no(f"{base}/mod_group", 40058, {"group_id": "none", "name": "x"})
    await book.ok(f"{base}/list_group", {})
    await book.no(f"{base}/list_group", 40058, {"group_id": "none"})
    question = {"text": {"content": "起存金额是多少？"}}
    answer = {"text": {"content": "五十元。"}, "attachments": []}
    new: Json = {**group, "question": question, "answers": [answer]}
    intent = await book.ok(f"{base}/add_intent", new)
    await book.no(f"{base}/add_intent", 40058, {**new, "group_id": "none"})
    named = {"intent_id": intent["intent_id"]}
    await book.ok(f"{base}/mod_intent", {**named, "question": question})
    await book.no(f"{base}/mod_intent", 40058, {"intent_id": "none"})
    await book.ok(f"{base}/list_intent", {})
    await book.no(f"{base}/list_intent", 40058, {"intent_id": "none"})
    await book.ok(f"{base}/del_intent", named)
    await book.no(f"{base}/del_intent", 40058, named)
    await book.ok(f"{base}/del_group", group)
    await book.no(f"{base}/del_group", 40058, group)


@scenario
async def bot_answers(book: Book) -> None:
    """A mention of the AI bot is answered once through its response_url."""
    sim = book.sim
    await sim.do(f"groups/{sim.first_group}/aibot", {"admitted": True})
    await sim.do(f"groups/{sim.first_group}/messages", {"sender": "rm001", "text": "利率", "mention_bot": True})
    called = [got.fields for got in sim.bot.received if "response_url" in got.fields][-1]
    code = called["response_url"].rpartition("=")[2]
    answer: Json = {"msgtype": "markdown", "markdown": {"content": "见公告"}}
    await book.ok("POST /cgi-bin/aibot/response", answer, "app", response_code=code)
    await book.no("POST /cgi-bin/aibot/response", 846606, answer, "app", response_code=code)
