"""Customers, tags, codes, groups, broadcasts, moments, inheritance, figures, rules, albums and links."""

from tests.simulator.contract.book import EXTERNAL, Book, scenario
from tests.simulator.harness import Json

DAY = 86_400


@scenario
async def customers(book: Book) -> None:
    """Members, their customers, remarks and ids."""
    sim = book.sim
    pair = {"userid": "rm001", "external_userid": sim.wang_fang}
    stranger = {**pair, "userid": "rm003"}
    await book.ok(f"GET {EXTERNAL}/get_follow_user_list")
    await book.no_token(f"GET {EXTERNAL}/get_follow_user_list")
    await book.ok(f"GET {EXTERNAL}/list", userid="rm001")
    await book.no(f"GET {EXTERNAL}/list", 84074, userid="co001")
    await book.ok(f"GET {EXTERNAL}/get", external_userid=sim.wang_fang)
    await book.no(f"GET {EXTERNAL}/get", 40096, external_userid="wmNONE")
    await sim.do("members/rm002/change", {"licensed": False})
    batch = await book.ok(f"POST {EXTERNAL}/batch/get_by_user", {"userid_list": ["rm001", "rm002"]})
    assert batch["fail_info"] == {"unlicensed_userid_list": ["rm002"]}
    await book.no(f"POST {EXTERNAL}/batch/get_by_user", 40058, {"userid_list": ["rm001"], "limit": 101})
    await book.no(f"GET {EXTERNAL}/list", 701008, userid="rm002")
    await book.ok(f"POST {EXTERNAL}/remark", {**pair, "remark": "王芳", "remark_pic_mediaid": await book.media()})
    await book.no(f"POST {EXTERNAL}/remark", 40058, {**pair, "remark_company": "长" * 21})
    await book.no(f"POST {EXTERNAL}/remark", 84061, {**stranger, "remark": "王芳"})
    people = await book.ok(f"POST {EXTERNAL}/contact_list", {"limit": 2})
    await book.ok(f"POST {EXTERNAL}/contact_list", {"limit": 2, "cursor": people["next_cursor"]})
    await book.no(f"POST {EXTERNAL}/contact_list", 50100, {"cursor": "?"})
    convert = "POST /cgi-bin/idconvert/convert_tmp_external_userid"
    ids = [row["tmp_openid"] for row in people["info_list"]]
    asked: Json = {"business_type": 1, "user_type": 1, "tmp_external_userid_list": [*ids, "none"]}
    answer = await book.ok(convert, asked)
    assert answer["results"][0]["external_userid"] == sim.wang_fang
    assert answer["invalid_tmp_external_userid_list"] == ["none"]
    await book.no(convert, 40058, {**asked, "business_type": 9})
    await book.ok(f"POST {EXTERNAL}/convert_to_openid", {"external_userid": sim.wang_fang})
    await book.no(f"POST {EXTERNAL}/convert_to_openid", 40096, {"external_userid": "wmNONE"})
    await book.ok(f"POST {EXTERNAL}/close_temp_chat", pair)
    await book.no(f"POST {EXTERNAL}/close_temp_chat", 84061, stranger)


@scenario
async def corp_tags(book: Book) -> None:
    """Tags of this app come and go; those of the console stay."""
    sim = book.sim
    add, edit, delete = (f"POST {EXTERNAL}/{verb}_corp_tag" for verb in ("add", "edit", "del"))
    new: Json = {"group_name": "渠道", "order": 3, "tag": [{"name": "网点"}, {"name": "线上", "order": 9}]}
    group = (await book.ok(add, new))["tag_group"]
    offline, online = (tag["id"] for tag in group["tag"])
    await book.no(add, 40058, new)
    await book.no(add, 40058, {"group_name": "长" * 31, "tag": [{"name": "x"}]})
    await book.no(add, 40058, {"group_name": "渠道", "tag": [{"name": "x", "order": 2**32}]})
    await book.no(add, 40063, {"tag": [{"name": "x"}]})
    await book.no(add, 40068, {"group_id": "etgNONE", "tag": [{"name": "x"}]})
    await book.ok(add, {"group_id": group["group_id"], "tag": [{"name": "推荐"}]})
    listed = await book.ok(f"POST {EXTERNAL}/get_corp_tag_list", {"group_id": [group["group_id"]]})
    assert [tag["name"] for tag in listed["tag_group"][0]["tag"]] == ["网点", "线上", "推荐"]
    await book.no(f"POST {EXTERNAL}/get_corp_tag_list", 40058, {"tag_id": "x"})
    await book.ok(edit, {"id": online, "name": "手机银行", "order": 1})
    await book.ok(edit, {"id": group["group_id"], "name": "来源"})
    await book.no(edit, 40068, {"id": "etNONE", "name": "x"})
    await book.no(edit, 40058, {"id": online, "name": "网点"})
    console = next(iter(sim.platform.world.tag_groups.rows.values()))
    await book.no(edit, 60011, {"id": console.tags[0].id, "name": "x"})
    await book.no(delete, 60011, {"group_id": [console.group_id]})
    pair = {"userid": "rm001", "external_userid": sim.wang_fang}
    mark = f"POST {EXTERNAL}/mark_tag"
    await book.ok(mark, {**pair, "add_tag": [offline]})
    await book.no(mark, 40068, {**pair, "add_tag": ["etNONE"]})
    await book.ok(delete, {"tag_id": [offline]})
    got = await book.ok(f"GET {EXTERNAL}/get", external_userid=sim.wang_fang)
    assert offline not in [tag["tag_id"] for tag in got["follow_user"][0]["tags"]]
    await book.ok(delete, {"group_id": [group["group_id"]]})
    await book.no(delete, 40068, {"group_id": [group["group_id"]]})
    await book.ok(f"POST {EXTERNAL}/get_strategy_tag_list", {})
    await book.no(f"POST {EXTERNAL}/get_strategy_tag_list", 48002, {}, "archive")


@scenario
async def contact_codes(book: Book) -> None:
    """渠道活码: made, listed by page, changed in part, removed."""
    add, get, update, delete = (f"POST {EXTERNAL}/{verb}_contact_way" for verb in ("add", "get", "update", "del"))
    listing = f"POST {EXTERNAL}/list_contact_way"
    new: Json = {"type": 1, "scene": 2, "user": ["rm001"], "state": "branch-07", "remark": "网点海报"}
    made = await book.ok(add, new)
    refusals: list[tuple[int, Json]] = [
        (41037, {"scene": 2, "user": ["rm001"]}),
        (41038, {"type": 1, "user": ["rm001"]}),
        (41039, {**new, "type": 3}),
        (41040, {**new, "scene": 3}),
        (41041, {**new, "user": ["rm001", "rm002"]}),
        (41041, {**new, "type": 2, "user": [f"rm{number}" for number in range(101)]}),
        (41042, {**new, "scene": 1, "style": 9}),
        (40058, {**new, "state": "长" * 31}),
        (40058, {**new, "remark": "长" * 31}),
        (60111, {**new, "user": ["ghost"]}),
        (84074, {**new, "user": ["co001"]}),
    ]
    for errcode, body in refusals:
        await book.no(add, errcode, body)
    way = (await book.ok(get, {"config_id": made["config_id"]}))["contact_way"]
    assert (way["skip_verify"], way["state"], way["qr_code"]) == (True, "branch-07", made["qr_code"])
    await book.no(get, 41044, {"config_id": "none"})
    await book.no(get, 41043, {"config_id": ""})
    temporary = {**new, "is_temp": True, "conclusions": {"image": {"media_id": await book.media()}}}
    await book.ok(get, {"config_id": (await book.ok(add, temporary))["config_id"]})
    await book.ok(add, {"type": 2, "scene": 1, "party": [3], "is_exclusive": True})
    page = await book.ok(listing, {"limit": 1})
    rest = await book.ok(listing, {"limit": 1, "cursor": page["next_cursor"]})
    assert page["contact_way"] == [{"config_id": made["config_id"]}]
    assert "next_cursor" not in rest
    await book.no(listing, 40058, {"limit": 1001})
    await book.ok(update, {"config_id": made["config_id"], "skip_verify": False})
    way = (await book.ok(get, {"config_id": made["config_id"]}))["contact_way"]
    assert (way["skip_verify"], way["state"]) == (False, "branch-07")
    await book.no(update, 41044, {"config_id": "none"})
    await book.ok(delete, {"config_id": made["config_id"]})
    await book.no(delete, 41044, {"config_id": made["config_id"]})


@scenario
async def group_codes(book: Book) -> None:
    """入群活码: a change replaces all fields."""
    sim = book.sim
    base = f"POST {EXTERNAL}/groupchat"
    new: Json = {"scene": 2, "chat_id_list": [sim.first_group], "state": "hall", "room_base_name": "理财群"}
    made = await book.ok(f"{base}/add_join_way", new)
    await book.no(f"{base}/add_join_way", 41040, {**new, "scene": 9})
    await book.no(f"{base}/add_join_way", 90501, {**new, "chat_id_list": ["none"]})
    await book.no(f"{base}/add_join_way", 40058, {**new, "chat_id_list": ["a", "b", "c", "d", "e", "f"]})
    await book.no(f"{base}/add_join_way", 40058, {**new, "room_base_name": "长" * 41})
    await book.ok(f"{base}/get_join_way", made)
    await book.no(f"{base}/get_join_way", 41044, {"config_id": "none"})
    changed = {"config_id": made["config_id"], "scene": 2, "chat_id_list": [sim.first_group]}
    await book.ok(f"{base}/update_join_way", changed)
    assert (await book.ok(f"{base}/get_join_way", made))["join_way"]["state"] == ""
    await book.no(f"{base}/update_join_way", 41044, {**changed, "config_id": "none"})
    await book.ok(f"{base}/del_join_way", made)
    await book.no(f"{base}/del_join_way", 41044, made)


@scenario
async def welcomes(book: Book) -> None:
    """A new customer is greeted with every kind of attachment; templates for groups."""
    sim = book.sim
    added = await sim.do("customers/add", {"userid": "rm001"})
    attachments: list[Json] = [
        {"msgtype": "image", "image": {"pic_url": "https://bank.example/p.png"}},
        {"msgtype": "image", "image": {"media_id": await book.media()}},
        {"msgtype": "link", "link": {"title": "公告", "url": "https://bank.example"}},
        {
            "msgtype": "miniprogram",
            "miniprogram": {"title": "网点", "appid": "wx1", "page": "p", "pic_media_id": await book.media()},
        },
        {"msgtype": "video", "video": {"media_id": await book.media("video")}},
        {"msgtype": "file", "file": {"media_id": await book.media("file")}},
    ]
    welcome: Json = {"welcome_code": added["welcome_code"], "text": {"content": "您好"}, "attachments": attachments}
    api = f"POST {EXTERNAL}/send_welcome_msg"
    await book.no(api, 40007, {**welcome, "attachments": [{"msgtype": "video", "video": attachments[1]["image"]}]})
    await book.no(api, 40058, {**welcome, "attachments": attachments[:1] * 10})
    long_title = {"msgtype": "link", "link": {"title": "长" * 43, "url": "https://bank.example"}}
    await book.no(api, 40058, {**welcome, "attachments": [long_title]})
    await book.ok(api, welcome)
    await book.no(api, 41050, welcome)
    base = f"POST {EXTERNAL}/group_welcome_template"
    made = await book.ok(f"{base}/add", {"text": {"content": "%NICKNAME% 您好"}, "link": attachments[2]["link"]})
    await book.no(f"{base}/add", 45002, {"text": {"content": "长" * 1001}})
    await book.no(f"{base}/add", 40063, {})
    await book.ok(f"{base}/edit", {**made, "text": {"content": "欢迎"}, "file": attachments[5]["file"]})
    await book.no(f"{base}/edit", 40058, {"template_id": "none", "text": {"content": "欢迎"}})
    await book.ok(f"{base}/get", {"template_id": made["template_id"]})
    await book.no(f"{base}/get", 40058, {"template_id": "none"})
    await book.ok(f"{base}/del", {"template_id": made["template_id"]})
    await book.no(f"{base}/del", 40058, {"template_id": made["template_id"]})


@scenario
async def groups(book: Book) -> None:
    """Customer groups are listed, read and found from a mini program."""
    sim = book.sim
    base = f"POST {EXTERNAL}/groupchat"
    page = await book.ok(f"{base}/list", {"limit": 2})
    await book.ok(f"{base}/list", {"limit": 2, "cursor": page["next_cursor"]})
    await book.no(f"{base}/list", 40058, {"limit": 1001})
    await book.ok(f"{base}/get", {"chat_id": sim.first_group, "need_name": 1})
    await book.no(f"{base}/get", 40050, {"chat_id": "none"})
    shown = await sim.see(f"groups/{sim.first_group}/opengid")
    answer = await book.ok(f"POST {EXTERNAL}/opengid_to_chatid", shown)
    assert answer["chat_id"] == sim.first_group
    await book.no(f"POST {EXTERNAL}/opengid_to_chatid", 40050, {"opengid": "none"})


@scenario
async def broadcasts(book: Book) -> None:
    """企业群发: made, confirmed, read, reminded, cancelled."""
    sim = book.sim
    add = f"POST {EXTERNAL}/add_msg_template"
    template: Json = {"chat_type": "group", "sender": "rm001", "text": {"content": "您好"}}
    made = await book.ok(add, template)
    await book.no(add, 40063, {**template, "sender": ""})
    await book.no(add, 40058, {**template, "chat_type": "both"})
    await book.no(add, 41048, {**template, "chat_id_list": ["none"]})
    await book.no(add, 41048, {"external_userid": ["wmNONE"], "text": {"content": "您好"}})
    await book.no(add, 40058, {"external_userid": ["wm"] * 10_001, "text": {"content": "您好"}})
    await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
    now = sim.clock.seconds()
    span: Json = {"chat_type": "group", "start_time": now - 60, "end_time": now + 60}
    await book.ok(f"POST {EXTERNAL}/get_groupmsg_list_v2", span)
    await book.no(f"POST {EXTERNAL}/get_groupmsg_list_v2", 40058, {**span, "start_time": now - 40 * DAY})
    named = {"msgid": made["msgid"]}
    await book.ok(f"POST {EXTERNAL}/get_groupmsg_task", named)
    await book.no(f"POST {EXTERNAL}/get_groupmsg_task", 41047, {"msgid": "none"})
    await book.ok(f"POST {EXTERNAL}/get_groupmsg_send_result", {**named, "userid": "rm001"})
    await book.no(f"POST {EXTERNAL}/get_groupmsg_send_result", 40058, {**named, "userid": "rm002"})
    for _ in range(3):
        await book.ok(f"POST {EXTERNAL}/remind_groupmsg_send", named)
    await book.no(f"POST {EXTERNAL}/remind_groupmsg_send", 41094, named)
    await book.ok(f"POST {EXTERNAL}/cancel_groupmsg_send", named)
    await book.no(f"POST {EXTERNAL}/cancel_groupmsg_send", 41093, named)


@scenario
async def moments(book: Book) -> None:
    """朋友圈: made by a job, published by hand, liked, cancelled."""
    sim = book.sim
    add, result = f"POST {EXTERNAL}/add_moment_task", f"POST {EXTERNAL}/get_moment_task_result"
    picture = {"msgtype": "image", "image": {"media_id": await book.attachment(1)}}
    film = {"msgtype": "video", "video": {"media_id": await book.attachment(1, "video")}}
    senders = {"sender_list": {"user_list": ["rm001", "ghost"]}}
    new: Json = {"text": {"content": "利率公告"}, "attachments": [picture], "visible_range": senders}
    job = await book.ok(add, new)
    await book.no(add, 40058, {**new, "text": {"content": "长" * 2001}})
    await book.no(add, 45002, {**new, "text": {"content": "长" * 1334}})
    await book.no(add, 40058, {**new, "attachments": [picture, film]})
    await book.no(add, 40058, {**new, "attachments": [picture] * 10})
    await book.no(add, 40007, {**new, "attachments": [{"msgtype": "image", "image": {"media_id": await book.media()}}]})
    made = (await book.ok(result, job))["result"]
    assert made["invalid_sender_list"] == {"user_list": ["ghost"]}
    await book.no(result, 40088, {"jobid": "none"})
    named = {"moment_id": made["moment_id"]}
    mine = {**named, "userid": "rm001"}
    now = sim.clock.seconds()
    span = {"start_time": now - DAY, "end_time": now + 60}
    await book.ok(f"POST {EXTERNAL}/get_moment_list", span)
    await book.no(f"POST {EXTERNAL}/get_moment_list", 40058, {**span, "start_time": now - 31 * DAY})
    await book.ok(f"POST {EXTERNAL}/get_moment_task", named)
    await book.no(f"POST {EXTERNAL}/get_moment_task", 41060, {"moment_id": "none"})
    await book.ok(f"POST {EXTERNAL}/get_moment_customer_list", mine)
    await book.no(f"POST {EXTERNAL}/get_moment_customer_list", 41061, {**named, "userid": "rm002"})
    for name in ("get_moment_send_result", "get_moment_comments"):
        await book.no(f"POST {EXTERNAL}/{name}", 41062, mine)
    path = f"moments/{made['moment_id']}"
    await sim.do(f"{path}/publish", {"userid": "rm001"})
    await sim.do(f"{path}/reactions", {"userid": "rm001", "person": sim.wang_fang, "like": True})
    await sim.do(f"{path}/reactions", {"userid": "rm001", "person": "rm001"})
    await book.ok(f"POST {EXTERNAL}/get_moment_send_result", mine)
    comments = await book.ok(f"POST {EXTERNAL}/get_moment_comments", mine)
    assert comments["like_list"][0]["external_userid"] == sim.wang_fang
    await book.ok(f"POST {EXTERNAL}/cancel_moment_task", named)
    await book.no(f"POST {EXTERNAL}/cancel_moment_task", 41093, named)


@scenario
async def transfers(book: Book) -> None:
    """继承 of customers and groups, at work and after leaving."""
    sim = book.sim
    on_job: Json = {
        "handover_userid": "rm001",
        "takeover_userid": "rm002",
        "external_userid": [sim.wang_fang, "wmNONE"],
    }
    api = f"POST {EXTERNAL}/transfer_customer"
    rows = (await book.ok(api, on_job))["customer"]
    assert [row["errcode"] for row in rows] == [0, 40096]
    assert [row["errcode"] for row in (await book.ok(api, on_job))["customer"]] == [40129, 40096]
    await book.no(api, 40130, {**on_job, "takeover_userid": "rm001"})
    await book.no(api, 60111, {**on_job, "takeover_userid": "ghost"})
    await book.no(api, 40058, {**on_job, "transfer_success_msg": "长" * 201})
    pair = {"handover_userid": "rm001", "takeover_userid": "rm002"}
    await book.ok(f"POST {EXTERNAL}/transfer_result", pair)
    await book.no(f"POST {EXTERNAL}/transfer_result", 60111, {**pair, "takeover_userid": "ghost"})
    group = f"POST {EXTERNAL}/groupchat"
    give: Json = {"chat_id_list": [sim.first_group, "none"], "new_owner": "rm002"}
    failed = (await book.ok(f"{group}/onjob_transfer", give))["failed_chat_list"]
    assert [row["errcode"] for row in failed] == [90501]
    await book.no(f"{group}/onjob_transfer", 60111, {**give, "new_owner": "ghost"})
    await book.no(f"POST {EXTERNAL}/resigned/transfer_customer", 40097, {**on_job, "handover_userid": "rm003"})
    customers = [row.external_userid for row in sim.platform.world.list_follows_of("rm003")]
    owned = [row.chat_id for row in sim.platform.world.list_groups_owned_by("rm003")]
    await sim.do("members/rm003/leave")
    left: Json = {"handover_userid": "rm003", "takeover_userid": "rm002"}
    page = await book.ok(f"POST {EXTERNAL}/get_unassigned_list", {"page_size": 1})
    assert (page["info"][0]["external_userid"], page["is_last"]) == (customers[0], False)
    await book.no(f"POST {EXTERNAL}/get_unassigned_list", 40058, {"page_size": 1001})
    resigned = f"POST {EXTERNAL}/resigned"
    await book.ok(f"{resigned}/transfer_customer", {**left, "external_userid": customers[:1]})
    await book.ok(f"{resigned}/transfer_result", left)
    await book.no(f"{resigned}/transfer_result", 40097, pair)
    assert (await book.ok(f"{group}/transfer", {"chat_id_list": owned, "new_owner": "rm002"}))["failed_chat_list"] == []
    again = await book.ok(f"{group}/transfer", {"chat_id_list": owned, "new_owner": "rm002"})
    assert {row["errcode"] for row in again["failed_chat_list"]} == {90508}
    await book.no(f"{group}/transfer", 40063, {"chat_id_list": [], "new_owner": "rm002"})


@scenario
async def figures(book: Book) -> None:
    """Figures of members and groups within the spans that are answered."""
    now = book.sim.clock.seconds()
    api = f"POST {EXTERNAL}/get_user_behavior_data"
    asked: Json = {"userid": ["rm001"], "start_time": now - 3 * DAY, "end_time": now}
    assert len((await book.ok(api, asked))["behavior_data"]) == 4
    await book.no(api, 40058, {**asked, "start_time": now - 30 * DAY})
    await book.no(api, 40058, {**asked, "start_time": now - 190 * DAY, "end_time": now - 189 * DAY})
    await book.no(api, 40063, {**asked, "userid": []})
    for name in ("statistic", "statistic_group_by_day"):
        api = f"POST {EXTERNAL}/groupchat/{name}"
        about: Json = {"day_begin_time": now - DAY, "owner_filter": {"userid_list": ["rm001", "rm002"]}}
        await book.ok(api, about)
        await book.no(api, 40063, {"day_begin_time": now - DAY, "owner_filter": {"userid_list": []}})


@scenario
async def intercept_rules(book: Book) -> None:
    """敏感词 rules."""
    add, update, delete = (f"POST {EXTERNAL}/{verb}_intercept_rule" for verb in ("add", "update", "del"))
    new: Json = {
        "rule_name": "承诺收益",
        "word_list": ["保本", "稳赚"],
        "semantics_list": [1],
        "intercept_type": 1,
        "applicable_range": {"user_list": ["rm001"], "department_list": [3]},
    }
    made = await book.ok(add, new)
    await book.no(add, 40058, {**new, "rule_name": "长" * 21})
    await book.no(add, 40058, {**new, "word_list": ["长" * 33]})
    await book.no(add, 40058, {**new, "word_list": ["词"] * 301})
    await book.no(add, 40058, {**new, "semantics_list": [9]})
    await book.no(add, 60111, {**new, "applicable_range": {"user_list": ["ghost"]}})
    await book.ok(f"GET {EXTERNAL}/get_intercept_rule_list")
    await book.no_token(f"GET {EXTERNAL}/get_intercept_rule_list")
    change = {**made, "rule_name": "收益", "word_list": ["保本"], "add_applicable_range": {"user_list": ["rm002"]}}
    await book.ok(update, {**change, "remove_applicable_range": {"department_list": [3]}})
    await book.no(update, 40058, {**change, "rule_id": "none"})
    rule = (await book.ok(f"POST {EXTERNAL}/get_intercept_rule", made))["rule"]
    assert rule["applicable_range"] == {"user_list": ["rm001", "rm002"], "department_list": []}
    await book.no(f"POST {EXTERNAL}/get_intercept_rule", 40058, {"rule_id": "none"})
    await book.ok(delete, made)
    await book.no(delete, 40058, made)


@scenario
async def albums(book: Book) -> None:
    """商品图册."""
    picture = {"type": "image", "image": {"media_id": await book.attachment(2)}}
    new: Json = {"description": "定期存单", "price": 100_000, "product_sn": "A1", "attachments": [picture]}
    made = await book.ok(f"POST {EXTERNAL}/add_product_album", new)
    await book.no(f"POST {EXTERNAL}/add_product_album", 40058, {**new, "price": 5_000_001})
    await book.no(f"POST {EXTERNAL}/add_product_album", 40058, {**new, "description": "长" * 301})
    await book.no(f"POST {EXTERNAL}/add_product_album", 40058, {**new, "product_sn": "编号"})
    await book.no(f"POST {EXTERNAL}/add_product_album", 40058, {**new, "attachments": [picture] * 10})
    await book.ok(f"POST {EXTERNAL}/get_product_album_list", {})
    await book.no(f"POST {EXTERNAL}/get_product_album_list", 50100, {"cursor": "?"})
    await book.ok(f"POST {EXTERNAL}/update_product_album", {**made, "price": 1})
    await book.no(f"POST {EXTERNAL}/update_product_album", 40058, {"product_id": "none", "price": 1})
    await book.ok(f"POST {EXTERNAL}/get_product_album", made)
    await book.no(f"POST {EXTERNAL}/get_product_album", 40058, {"product_id": "none"})
    await book.ok(f"POST {EXTERNAL}/delete_product_album", made)
    await book.no(f"POST {EXTERNAL}/delete_product_album", 40058, made)


@scenario
async def links(book: Book) -> None:
    """获客助手: a link, who came, how it is going."""
    sim = book.sim
    base = f"{EXTERNAL}/customer_acquisition"
    new: Json = {"link_name": "公众号", "range": {"user_list": ["rm001"]}}
    link = (await book.ok(f"POST {base}/create_link", new))["link"]
    await book.no(f"POST {base}/create_link", 40058, {**new, "link_name": "长" * 31})
    await book.no(f"POST {base}/create_link", 84074, {**new, "range": {"user_list": ["co001"]}})
    named = {"link_id": link["link_id"]}
    await book.ok(f"POST {base}/list_link", {})
    await book.no(f"POST {base}/list_link", 40058, {"limit": 101})
    await book.ok(f"POST {base}/get", named)
    await book.no(f"POST {base}/get", 40058, {"link_id": "none"})
    option = {"priority_type": 2, "priority_userid_list": ["rm001"]}
    await book.ok(f"POST {base}/update_link", {**named, "link_name": "小程序", "priority_option": option})
    await book.no(f"POST {base}/update_link", 40058, {"link_id": "none"})
    came = await sim.do(f"links/{link['link_id']}/visit", {"customer_channel": "c1"})
    customer = came["external_userid"]
    for _ in range(3):
        chat = {"userid": "rm001", "external_userid": customer, "sender": customer, "text": "你好"}
        await sim.do("chats/messages", chat)
    (event,) = [row for row in sim.bot.events("customer_acquisition") if row["ChangeType"] == "message_from_customer"]
    info = await book.ok(f"POST {base}/get_chat_info", {"chat_key": event["ChatKey"]})
    assert (info["external_userid"], info["chat_info"]["recv_msg_cnt"]) == (customer, 3)
    await book.no(f"POST {base}/get_chat_info", 40058, {"chat_key": "none"})
    (row,) = (await book.ok(f"POST {base}/customer", named))["customer_list"]
    assert row == {"external_userid": customer, "userid": "rm001", "chat_status": 1, "state": "c1"}
    await book.no(f"POST {base}/customer", 40058, {**named, "limit": 1001})
    now = sim.clock.seconds()
    span = {"start_time": str(now - DAY), "end_time": str(now)}
    figures = await book.ok(f"GET {base}/statistic", None, "app", **named, **span)
    assert (figures["click_link_customer_cnt"], figures["new_customer_cnt"]) == (1, 1)
    await book.no(f"GET {base}/statistic", 40058, None, "app", **{**named, **span, "start_time": str(now - 40 * DAY)})
    quota = await book.ok(f"POST {base}_quota", {})
    assert quota["balance"] == quota["total"] - 1
    await book.no(f"POST {base}_quota", 48002, {}, "archive")
    await book.ok(f"POST {base}/delete_link", named)
    await book.no(f"POST {base}/delete_link", 40058, named)
