"""A day of every family, with the typed functions, against the simulator's own reading of the documents."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.clock import SystemClock
from bot.errors import PlatformError
from bot.ids import StaffId
from bot.wecom import groupsend
from bot.wecom.api import (
    acquisition,
    agents,
    appchat,
    attachments,
    contact_ways,
    customers,
    intercept,
    join_ways,
    kf,
    kf_knowledge,
    kf_messages,
    media,
    messages,
    moments,
    products,
    statistics,
    tags,
    transfer,
    webhook,
    welcome,
)
from tests.bot.contract.corp import CONFIG, LI, PICTURE, VOICE, WANG, Corp, a_corp
from tests.bot.contract.examples import CHAT_BODIES, FULL_CARDS, KF_MENU, MINIMAL_CARDS

TODAY = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)


async def a_picture(corp: Corp) -> str:
    """Upload a picture and return its media id."""
    return (await media.upload_media(corp.client, media.MediaKind.IMAGE, PICTURE)).media_id


async def a_file(corp: Corp) -> str:
    """Upload a file and return its media id."""
    file = media.LocalFile("a.pdf", b"%PDF-1.7 ", "application/pdf")
    return (await media.upload_media(corp.client, media.MediaKind.FILE, file)).media_id


async def test_files_come_back_as_they_went() -> None:
    async with a_corp() as corp:
        stored = await media.upload_media(corp.client, media.MediaKind.IMAGE, PICTURE)
        file = await media.download_media(corp.client, stored.media_id)
        assert file.content == PICTURE.content
        assert (await media.upload_image(corp.client, PICTURE)).startswith("http")
        attachment = await media.upload_attachment(
            corp.client, media.MediaKind.IMAGE, media.AttachmentUse.MOMENTS, PICTURE
        )
        assert attachment.expires_at > SystemClock().now()
        await media.upload_media(corp.client, media.MediaKind.VOICE, VOICE)


async def test_messages_of_every_card_are_taken_and_can_be_recalled() -> None:
    async with a_corp() as corp:
        for number, card in enumerate((*FULL_CARDS, *MINIMAL_CARDS)):
            body = replace(card, task_id=card.task_id and f"task-{number}")
            message = messages.AppMessage(agent_id=CONFIG.agent_id, staff_ids=(LI,), body=body)
            sent = await messages.send_message(corp.client, message)
            assert sent.response_code
        await messages.recall_message(corp.client, sent.msgid)
        assert (await messages.count_messages(corp.client))[0].count >= len(FULL_CARDS)


async def test_staff_group_is_made_changed_and_spoken_in() -> None:
    async with a_corp() as corp:
        chat_id = await appchat.create_chat(corp.client, appchat.NewChat(name="支行群", members=(LI, WANG), owner=LI))
        edit = appchat.ChatEdit(chat_id=chat_id, name="城东支行", add=(StaffId("rm003"),))
        await appchat.update_chat(corp.client, edit)
        chat = await appchat.get_chat(corp.client, chat_id)
        assert (chat.name, chat.owner, len(chat.members)) == ("城东支行", LI, 3)
        for body in CHAT_BODIES:
            if isinstance(body, messages.TextBody | messages.MarkdownBody | messages.TextCardBody | messages.NewsBody):
                await appchat.send_to_chat(corp.client, chat_id, body)
        await appchat.send_to_chat(corp.client, chat_id, messages.ImageBody(await a_picture(corp)), confidential=True)


async def test_robot_says_everything_it_may_and_nothing_with_a_dead_key() -> None:
    async with a_corp() as corp:
        key = SecretStr((await corp.do("robots"))["key"])
        file = await webhook.upload_for_webhook(corp.client, key, webhook.WebhookMedia.FILE, PICTURE)
        bodies: tuple[webhook.WebhookBody, ...] = (
            webhook.WebhookText("早", ("@all",)),
            webhook.WebhookMarkdown("**早**"),
            webhook.WebhookMarkdown2("| a |"),
            webhook.image_of(PICTURE.content),
            messages.NewsBody((messages.Article("标题", "https://x.example"),)),
            messages.FileBody(file.media_id),
        )
        for body in bodies:
            await webhook.send_by_webhook(corp.client, key, body)
        with pytest.raises(PlatformError) as refused:
            await webhook.send_by_webhook(corp.client, SecretStr("dead"), bodies[0])
        assert refused.value.errcode == 93000
        assert "dead" not in str(refused.value)


async def test_customer_is_tagged_noted_and_welcomed() -> None:
    async with a_corp() as corp:
        group = await tags.add_tags(
            corp.client, tags.NewTags(tags=(tags.NewTag("稳健", 2), tags.NewTag("进取")), group_name="风险偏好")
        )
        first, second = group.tags
        mark = tags.TagMark(staff_id=LI, customer_id=corp.customer, add=(first.id, second.id))
        await tags.mark_customer(corp.client, mark)
        await tags.edit_tag(corp.client, tags.TagEdit(id=first.id, name="很稳健"))
        await tags.delete_tags(corp.client, tags.TagDeletion(tag_ids=(second.id,)))
        listed = await tags.list_tag_groups(corp.client, tags.TagChoice(group_ids=(group.id,)))
        assert "很稳健" in [tag.name for found in listed for tag in found.tags]
        remark = customers.Remark(staff_id=LI, customer_id=corp.customer, remark="王总", mobiles=("13900000000",))
        await customers.set_remark(corp.client, remark)
        added = await corp.do("customers/add", {"userid": LI})
        await welcome.send_welcome_message(
            corp.client,
            welcome.WelcomeMessage(
                code=added["welcome_code"],
                text="欢迎",
                attachments=(
                    attachments.ImageAttachment(await a_picture(corp)),
                    attachments.LinkAttachment("官网", "https://x.example"),
                ),
            ),
        )


async def test_code_to_become_a_contact_is_kept_and_scanned() -> None:
    async with a_corp() as corp:
        made = await contact_ways.add_contact_way(
            corp.client,
            contact_ways.NewContactWay(
                kind=contact_ways.WayKind.SINGLE,
                scene=contact_ways.WayScene.QR_CODE,
                staff_ids=(LI,),
                state="hall",
                remark="大堂",
            ),
        )
        assert made.qr_code
        await contact_ways.update_contact_way(
            corp.client, contact_ways.ContactWayEdit(config_id=made.config_id, remark="二楼")
        )
        way = await contact_ways.get_contact_way(corp.client, made.config_id)
        assert (way.remark, way.state, way.staff_ids) == ("二楼", "hall", (LI,))
        assert [ids async for ids in contact_ways.iter_contact_way_ids(corp.client)] == [(made.config_id,)]
        await contact_ways.delete_contact_way(corp.client, made.config_id)
        with pytest.raises(PlatformError):
            await contact_ways.get_contact_way(corp.client, made.config_id)


async def test_code_to_join_a_group_is_replaced_as_a_whole() -> None:
    async with a_corp() as corp:
        parts = join_ways.JoinWayParts(
            scene=join_ways.JoinScene.QR_CODE, chat_ids=(corp.group,), remark="大堂", state="hall"
        )
        config_id = await join_ways.add_join_way(corp.client, parts)
        await join_ways.replace_join_way(
            corp.client,
            join_ways.JoinWayReplacement(
                config_id=config_id, scene=join_ways.JoinScene.QR_CODE, chat_ids=(corp.group,), state="new"
            ),
        )
        way = await join_ways.get_join_way(corp.client, config_id)
        assert (way.remark, way.state, way.chat_ids) == ("", "new", (corp.group,))
        await join_ways.delete_join_way(corp.client, config_id)


async def test_group_welcome_template_is_kept() -> None:
    async with a_corp() as corp:
        link = attachments.LinkAttachment("官网", "https://x.example", "说明")
        template_id = await welcome.add_group_welcome(
            corp.client, welcome.NewGroupWelcome(text="%NICKNAME% 欢迎", attachment=link, notify=True)
        )
        await welcome.edit_group_welcome(
            corp.client, welcome.GroupWelcomeEdit(template_id=template_id, text="您好", attachment=link)
        )
        assert await welcome.get_group_welcome(corp.client, template_id) == welcome.GroupWelcome("您好", link)
        await welcome.delete_group_welcome(corp.client, template_id)


async def test_broadcasts_to_groups_and_customers_are_made_reminded_and_cancelled() -> None:
    async with a_corp() as corp:
        files = (attachments.ImageAttachment(await a_picture(corp)), attachments.FileAttachment(await a_file(corp)))
        to_groups = await groupsend.create_broadcast(
            corp.client, groupsend.GroupBroadcast(sender=LI, chat_ids=(corp.group,), text="您好", attachments=files)
        )
        to_one = await groupsend.create_broadcast(
            corp.client, groupsend.CustomerBroadcast(customer_ids=(corp.customer,), text="您好", may_deselect=True)
        )
        await groupsend.create_broadcast(corp.client, groupsend.CustomerBroadcast(sender=LI, text="大家好"))
        now = SystemClock().now()
        question = groupsend.BroadcastQuestion(
            kind=groupsend.ChatKind.SINGLE, since=now - timedelta(days=1), until=now + timedelta(minutes=1)
        )
        assert to_one.msgid in [task.msgid async for task in groupsend.iter_broadcasts(corp.client, question)]
        (task,) = await groupsend.list_member_tasks(corp.client, to_groups.msgid)
        assert (task.staff_id, task.confirmed) == (LI, False)
        assert await groupsend.remind_members(corp.client, to_groups.msgid)
        await corp.do(f"groupmsgs/{to_groups.msgid}/confirm", {"userid": LI})
        (result,) = await groupsend.list_send_results(corp.client, to_groups.msgid, LI)
        assert (result.chat_id, result.status) == (corp.group, groupsend.SendStatus.SENT)
        await groupsend.cancel_task(corp.client, to_one.msgid)
        await groupsend.cancel_task(corp.client, to_one.msgid)


async def test_moment_is_made_published_and_seen() -> None:
    async with a_corp() as corp:
        stored = await media.upload_attachment(corp.client, media.MediaKind.IMAGE, media.AttachmentUse.MOMENTS, PICTURE)
        moment = moments.NewMoment(
            text="节日快乐", attachments=(moments.MomentImage(stored.media_id),), staff_ids=(LI,)
        )
        job_id = await moments.add_moment(corp.client, moment)
        job = await moments.get_moment_job(corp.client, job_id)
        for _ in range(5):
            if job.status == moments.MomentJobStatus.DONE:
                break
            job = await moments.get_moment_job(corp.client, job_id)
        assert job.moment_id
        await corp.do(f"moments/{job.moment_id}/publish", {"userid": LI})
        assert [task.published async for task in moments.iter_moment_tasks(corp.client, job.moment_id)] == [True]
        since, until = TODAY - timedelta(days=1), TODAY + timedelta(days=2)
        found = [one async for one in moments.iter_moments(corp.client, since, until)]
        assert [one.text for one in found] == ["节日快乐"]
        viewers = [one async for one in moments.iter_moment_viewers(corp.client, job.moment_id, LI)]
        receivers = [one async for one in moments.iter_moment_receivers(corp.client, job.moment_id, LI)]
        assert corp.customer in receivers
        assert corp.customer in [viewer.customer_id for viewer in viewers]
        await moments.get_moment_reactions(corp.client, job.moment_id, LI)


async def test_customers_and_groups_change_hands() -> None:
    async with a_corp() as corp:
        (start,) = await transfer.transfer_customers(
            corp.client, transfer.OnJobHandover(giver=LI, taker=WANG, customer_ids=(corp.customer,), message="您好")
        )
        assert (start.customer_id, start.errcode) == (corp.customer, 0)
        results = [found async for found in transfer.iter_transfer_results(corp.client, LI, WANG)]
        assert [found.status for found in results] == [transfer.TransferStatus.WAITING]
        assert await transfer.transfer_groups_on_job(corp.client, transfer.GroupHandover((corp.group,), WANG)) == ()
        await corp.do(f"members/{WANG}/leave")
        left = [found async for found in transfer.iter_unassigned(corp.client)]
        assert {found.giver for found in left} == {WANG}
        failed = await transfer.transfer_groups(corp.client, transfer.GroupHandover((corp.group,), LI))
        assert failed == ()
        (start,) = await transfer.transfer_resigned_customers(
            corp.client, transfer.Handover(giver=WANG, taker=LI, customer_ids=(left[0].customer_id,))
        )
        assert start.errcode == 0
        assert [found async for found in transfer.iter_resigned_transfer_results(corp.client, WANG, LI)]


async def test_figures_are_told_by_day_and_by_owner() -> None:
    async with a_corp() as corp:
        days = statistics.BehaviourQuestion(since=TODAY - timedelta(days=3), until=TODAY, staff_ids=(LI,))
        assert await statistics.list_behaviour(corp.client, days)
        question = statistics.GroupQuestion(since=TODAY - timedelta(days=3), until=TODAY, owners=(LI, WANG))
        owners = [found.owner async for found in statistics.iter_group_figures_by_owner(corp.client, question)]
        assert LI in owners
        assert await statistics.list_group_figures_by_day(corp.client, question)


async def test_rules_products_and_links_are_kept() -> None:
    async with a_corp() as corp:
        rule_id = await intercept.add_rule(
            corp.client,
            intercept.NewRule(
                name="保本承诺",
                words=("保本", "稳赚"),
                action=intercept.InterceptType.BLOCK_AND_WARN,
                range=intercept.RuleRange((LI,)),
                semantics=(intercept.Semantics.RED_PACKET,),
            ),
        )
        await intercept.update_rule(
            corp.client,
            intercept.RuleEdit(
                rule_id=rule_id, name="保本承诺", words=("保本",), add_range=intercept.RuleRange((WANG,))
            ),
        )
        rule = await intercept.get_rule(corp.client, rule_id)
        assert (rule.words, set(rule.staff_ids)) == (("保本",), {LI, WANG})
        assert [found.id for found in await intercept.list_rules(corp.client)] == [rule_id]
        await intercept.delete_rule(corp.client, rule_id)

        stored = await media.upload_attachment(
            corp.client, media.MediaKind.IMAGE, media.AttachmentUse.PRODUCT_ALBUM, PICTURE
        )
        product_id = await products.add_product(
            corp.client,
            products.NewProduct(
                description="大额存单",
                price_fen=20_000,
                images=(products.ProductImage(stored.media_id),),
                number="CD001",
            ),
        )
        await products.update_product(corp.client, products.ProductEdit(product_id=product_id, price_fen=30_000))
        assert (await products.get_product(corp.client, product_id)).price_fen == 30_000
        assert [found.number async for found in products.iter_products(corp.client)] == ["CD001"]
        await products.delete_product(corp.client, product_id)

        link = await acquisition.create_link(
            corp.client, acquisition.NewLink(name="公众号", range=acquisition.LinkRange((LI,)))
        )
        await acquisition.update_link(corp.client, acquisition.LinkEdit(link_id=link.id, name="小程序"))
        assert (await acquisition.get_link(corp.client, link.id)).link.name == "小程序"
        assert [found async for found in acquisition.iter_link_ids(corp.client)] == [link.id]
        assert (await acquisition.get_quota(corp.client)).balance >= 0
        await acquisition.get_link_figures(corp.client, link.id, TODAY - timedelta(days=3), TODAY)
        assert [found async for found in acquisition.iter_link_customers(corp.client, link.id)] == []
        await acquisition.delete_link(corp.client, link.id)


async def test_kf_account_is_set_up_and_spoken_with() -> None:
    async with a_corp() as corp:
        open_kfid = await kf.add_account(corp.client, kf.NewAccount("示例客服", await a_picture(corp)))
        await kf.update_account(corp.client, kf.AccountEdit(open_kfid=open_kfid, name="示例银行"))
        assert "示例银行" in [found.name async for found in kf.iter_accounts(corp.client)]
        url = await kf.add_kf_contact_way(corp.client, kf.KfContactWay(open_kfid, "hall"))
        assert kf.link_for_scene(url, "二楼").startswith(url)
        change = kf.ServicerChange(open_kfid=open_kfid, staff_ids=(LI,))
        assert [result.errcode for result in await kf.add_servicers(corp.client, change)] == [0]
        assert [found.staff_id for found in await kf.list_servicers(corp.client, open_kfid)] == [LI]
        about = {"external_userid": corp.customer, "open_kfid": open_kfid}
        await corp.do("kf/enter", about)
        await corp.do("kf/messages", {**about, "text": "在吗"})
        page = await kf_messages.pull_messages(corp.client, kf_messages.Pull(open_kfid=open_kfid))
        assert "在吗" in [item.get("text", {}).get("content") for item in page.items]
        for body in (kf_messages.KfTextBody("您好"), KF_MENU, kf_messages.KfLocationBody("网点", 31.2, 121.5)):
            await kf_messages.send_kf_message(
                corp.client, kf_messages.KfMessage(open_kfid=open_kfid, customer_id=corp.customer, body=body)
            )
        (customer,) = (await kf.get_kf_customers(corp.client, (corp.customer,), with_entry=True)).found
        assert customer.scene
        assert (await kf.get_session(corp.client, open_kfid, corp.customer)).state in (0, 1)
        code = await kf.change_session(
            corp.client,
            kf.StateChange(open_kfid=open_kfid, customer_id=corp.customer, state=kf.SessionState.HUMAN, servicer=LI),
        )
        assert code
        notice = kf_messages.KfEventMessage(code=code, body=kf_messages.KfTextBody("客户经理马上就来"))
        await kf_messages.send_on_event(corp.client, notice)
        assert await kf.get_session(corp.client, open_kfid, corp.customer) == kf.Session(kf.SessionState.HUMAN, LI)
        await kf.get_upgrade_targets(corp.client)
        await kf.list_corp_days(corp.client, kf.KfQuestion(since=TODAY - timedelta(days=2), until=TODAY))
        await kf.list_servicer_days(corp.client, kf.ServicerQuestion(since=TODAY - timedelta(days=2), until=TODAY))
        await kf.delete_servicers(corp.client, change)
        await kf.delete_account(corp.client, open_kfid)


async def test_kf_answers_from_a_knowledge_base_of_ours() -> None:
    async with a_corp() as corp:
        group_id = await kf_knowledge.add_knowledge_group(corp.client, "存款")
        await kf_knowledge.rename_knowledge_group(corp.client, group_id, "存款与理财")
        intent_id = await kf_knowledge.add_intent(
            corp.client,
            kf_knowledge.NewIntent(
                group_id=group_id,
                question=kf_knowledge.KnowledgeQuestion("利率多少"),
                similar=(kf_knowledge.KnowledgeQuestion("几个点"),),
                answers=(kf_knowledge.KnowledgeAnswer("以网点公告为准"),),
            ),
        )
        await kf_knowledge.update_intent(
            corp.client,
            kf_knowledge.IntentEdit(intent_id=intent_id, question=kf_knowledge.KnowledgeQuestion("存款利率多少")),
        )
        (intent,) = [found async for found in kf_knowledge.iter_intents(corp.client, group_id)]
        assert (intent.question, intent.similar, intent.answer) == ("存款利率多少", ("几个点",), "以网点公告为准")
        assert "存款与理财" in [found.name async for found in kf_knowledge.iter_knowledge_groups(corp.client)]
        await kf_knowledge.delete_intent(corp.client, intent_id)
        await kf_knowledge.delete_knowledge_group(corp.client, group_id)


async def test_app_and_the_platforms_addresses_are_told() -> None:
    async with a_corp() as corp:
        assert (await agents.get_agent(corp.client, CONFIG.agent_id)).id == CONFIG.agent_id
        assert await agents.list_callback_ips(corp.client)
        assert await agents.list_api_ips(corp.client)
        assert [page async for page in customers.iter_served_contacts(corp.client)]
