"""At least one full and one minimal example of every API function: `EXAMPLES`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom import contacts, groupsend
from bot.wecom.api import (
    acquisition,
    agents,
    appchat,
    attachments,
    cards,
    contact_ways,
    customers,
    intercept,
    join_ways,
    kf,
    kf_knowledge,
    kf_messages,
    login,
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

LI, WANG = StaffId("li"), StaffId("wang")
CUSTOMER, OTHER = CustomerId("wm1"), CustomerId("wm2")
GROUP = GroupChatId("wr1")
KFID = "wk1"
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
WEEK_AGO = NOON - timedelta(days=7)
KEY = SecretStr("robot-key")
PICTURE = media.LocalFile("a.jpg", b"\xff\xd8 picture", "image/jpeg")
VOICE = media.LocalFile("a.amr", b"#!AMR voice", "audio/amr")


@dataclass(frozen=True)
class Example:
    """One call: a function with its arguments. `full` uses every argument and field there is."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    full: bool
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the module and the function."""
        return f"{self.function.__module__.removeprefix('bot.wecom.')}.{self.function.__name__}"

    @property
    def label(self) -> str:
        """Return the name and how much of it the example uses."""
        return f"{self.name} {'full' if self.full else 'least'}"


def _full(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Example:
    return Example(function, args, True, kwargs)


def _minimal(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Example:
    return Example(function, args, False, kwargs)


def _only(function: Callable[..., Any], *args: Any) -> tuple[Example, Example]:
    """Return the one way there is to call a function, which is both the fullest and the least."""
    return _full(function, *args), _minimal(function, *args)


ATTACHMENTS: tuple[attachments.Attachment, ...] = (
    attachments.ImageAttachment("media1", "https://x.example/p.png"),
    attachments.LinkAttachment("标题", "https://x.example", "说明", "https://x.example/p.png"),
    attachments.MiniProgramAttachment("标题", "media1", "wx1", "pages/index"),
    attachments.VideoAttachment("media1"),
    attachments.FileAttachment("media1"),
)
BARE_ATTACHMENTS: tuple[attachments.Attachment, ...] = (
    attachments.ImageAttachment("media1"),
    attachments.ImageAttachment(url="https://x.example/p.png"),
    attachments.LinkAttachment("标题", "https://x.example"),
)
TARGET = cards.Target(url="https://x.example")
MINI_TARGET = cards.Target(cards.TargetKind.MINI_PROGRAM, app_id="wx1", page="pages/index")
MENU = cards.ActionMenu((cards.MenuAction("不再提醒", "mute"), cards.MenuAction("稍后", "later")), "更多")
_COMMON: dict[str, Any] = {
    "source": cards.Source("https://x.example/i.png", "合规部", 1),
    "menu": MENU,
    "title": cards.Title("请确认", "今天 18:00 前"),
    "target": TARGET,
    "task_id": "task-1@x",
}
_FACTS: dict[str, Any] = {
    "text": "副标题",
    "quotation": cards.Quotation(cards.TargetKind.URL, "https://x.example", title="引用", text="原文"),
    "facts": (
        cards.Fact("时间", "明天"),
        cards.Fact("网页", "打开", cards.FactKind.URL, url="https://x.example"),
        cards.Fact("附件", "a.pdf", cards.FactKind.ATTACHMENT, media_id="media1"),
        cards.Fact("同事", "李娜", cards.FactKind.MEMBER, staff_id=LI),
    ),
    "jumps": (
        cards.Jump(title="官网", url="https://x.example"),
        cards.Jump(cards.TargetKind.MINI_PROGRAM, app_id="wx1", page="p", title="小程序"),
        cards.Jump(cards.TargetKind.NOTHING, title="说明"),
    ),
}
_OPTIONS = (cards.SelectOption("a", "甲"), cards.SelectOption("b", "乙"))
_SUBMIT = cards.SubmitButton("提交", "submit")
_VOTES = (cards.VoteOption("a", "甲", checked=True), cards.VoteOption("b", "乙"))
FULL_CARDS: tuple[cards.TemplateCard, ...] = (
    cards.TextNotice(**_COMMON, **_FACTS, emphasis=cards.Emphasis("98%", "达成率")),
    cards.NewsNotice(
        **_COMMON,
        **_FACTS,
        image=cards.CardImage("https://x.example/p.png", 1.3),
        image_text=cards.ImageText(
            cards.TargetKind.URL,
            "https://x.example",
            image_url="https://x.example/p.png",
            title="标题",
            description="说明",
        ),
        paragraphs=(cards.Paragraph("标题", "说明"),),
    ),
    cards.ButtonCard(
        **_COMMON,
        **_FACTS,
        select=cards.ButtonSelect("which", _OPTIONS, "选择", "a"),
        buttons=(
            cards.CardButton("确认", "yes", style=1, kind=0),
            cards.CardButton("网页", url="https://x.example", style=4, kind=1),
        ),
    ),
    cards.VoteCard(**_COMMON, checkbox=cards.Checkbox("q", _VOTES, several=True, disabled=False), submit=_SUBMIT),
    cards.SelectCard(**_COMMON, selects=(cards.Select("q", "选择", _OPTIONS, "a", disabled=False),), submit=_SUBMIT),
)
_TITLE = cards.Title("标题")
MINIMAL_CARDS: tuple[cards.TemplateCard, ...] = (
    cards.TextNotice(text="副标题", target=TARGET),
    cards.TextNotice(title=_TITLE, target=MINI_TARGET),
    cards.NewsNotice(title=_TITLE, image=cards.CardImage("https://x.example/p.png"), target=TARGET),
    cards.NewsNotice(title=_TITLE, image_text=cards.ImageText(image_url="https://x.example/p.png"), target=TARGET),
    cards.ButtonCard(title=_TITLE, task_id="t", buttons=(cards.CardButton("确认", "yes"),)),
    cards.VoteCard(task_id="t", checkbox=cards.Checkbox("q", _VOTES[1:]), submit=_SUBMIT),
    cards.SelectCard(task_id="t", selects=(cards.Select("q", "选择", _OPTIONS),), submit=_SUBMIT),
)
_ARTICLE = messages.Article("标题", "https://x.example", "说明", "https://x.example/p.png", "wx1", "pages/index")
_STORED = messages.StoredArticle("标题", "<p>正文</p>", "media1", "作者", "https://x.example", "摘要")
CHAT_BODIES: tuple[appchat.ChatBody, ...] = (
    messages.TextBody("您好"),
    messages.MarkdownBody("**您好**"),
    messages.ImageBody("media1"),
    messages.VoiceBody("media1"),
    messages.VideoBody("media1", "标题", "说明"),
    messages.FileBody("media1"),
    messages.TextCardBody("标题", "说明", "https://x.example", "更多"),
    messages.NewsBody((_ARTICLE, messages.Article("标题", "https://x.example"))),
    messages.StoredNewsBody((_STORED, messages.StoredArticle("标题", "正文", "media1"))),
)
MESSAGE_BODIES: tuple[messages.MessageBody, ...] = (
    *CHAT_BODIES,
    messages.VideoBody("media1"),
    messages.TextCardBody("标题", "说明", "https://x.example"),
    messages.MiniProgramNoticeBody(
        "wx1", "pages/index", "到期提醒", "请及时处理", (messages.NoticeItem("产品", "存单"),), emphasise_first=True
    ),
    messages.MiniProgramNoticeBody("wx1", "pages/index", "到期提醒"),
    *FULL_CARDS,
    *MINIMAL_CARDS,
)


def _message(body: messages.MessageBody) -> messages.AppMessage:
    return messages.AppMessage(agent_id=1, staff_ids=(LI,), body=body)


_MESSAGES = (
    _full(
        messages.send_message,
        messages.AppMessage(
            agent_id=1,
            body=messages.TextBody("您好"),
            staff_ids=(LI, WANG),
            department_ids=(2, 3),
            member_tag_ids=(4,),
            safety=messages.Safety.CONFIDENTIAL,
            translate_ids=True,
            drop_repeats=True,
            repeat_seconds=600,
        ),
    ),
    _full(
        messages.send_message,
        messages.AppMessage(
            agent_id=1,
            staff_ids=(messages.EVERYONE,),
            body=messages.StoredNewsBody((_STORED,)),
            safety=messages.Safety.INSIDE_CORP,
        ),
    ),
    *(_minimal(messages.send_message, _message(body)) for body in MESSAGE_BODIES),
    *_only(messages.recall_message, "msg1"),
    *(
        _full(
            messages.update_card,
            messages.CardChange(
                agent_id=1,
                response_code="code",
                staff_ids=(LI,),
                department_ids=(2,),
                member_tag_ids=(4,),
                everyone=False,
                card=card,
                replacement="已处理",
                translate_ids=False,
            ),
        )
        for card in FULL_CARDS
    ),
    _minimal(
        messages.update_card,
        messages.CardChange(agent_id=1, response_code="code", staff_ids=(LI,), button=messages.ReplacedButton("好")),
    ),
    _full(messages.count_messages, messages.Day.YESTERDAY),
    _minimal(messages.count_messages),
    _full(appchat.create_chat, appchat.NewChat(name="支行群", members=(LI, WANG), owner=LI, chat_id="branch3")),
    _minimal(appchat.create_chat, appchat.NewChat(name="支行群", members=(LI, WANG))),
    _full(
        appchat.update_chat,
        appchat.ChatEdit(chat_id="c", name="支行群", owner=LI, add=(WANG,), remove=(StaffId("zhao"),)),
    ),
    _minimal(appchat.update_chat, appchat.ChatEdit(chat_id="c", name="支行群")),
    *_only(appchat.get_chat, "c"),
    _full(appchat.send_to_chat, "c", messages.TextBody("您好"), confidential=True),
    *(_minimal(appchat.send_to_chat, "c", body) for body in CHAT_BODIES),
)

_WEBHOOK = (
    _full(webhook.send_by_webhook, KEY, webhook.WebhookText("早", ("li", "@all"), ("13900000000",))),
    *(
        _minimal(webhook.send_by_webhook, KEY, body)
        for body in (
            webhook.WebhookText("早"),
            webhook.WebhookMarkdown("**早** <@li>"),
            webhook.WebhookMarkdown2("| a |"),
            webhook.image_of(b"\x89PNG picture"),
            messages.NewsBody((messages.Article("标题", "https://x.example", "说明", "https://x.example/p.png"),)),
            messages.FileBody("media1"),
            messages.VoiceBody("media1"),
            FULL_CARDS[0],
            FULL_CARDS[1],
        )
    ),
    _full(webhook.upload_for_webhook, KEY, webhook.WebhookMedia.VOICE, VOICE),
    _minimal(webhook.upload_for_webhook, KEY, webhook.WebhookMedia.FILE, PICTURE),
)

_MEDIA = (
    *_only(media.upload_media, media.MediaKind.IMAGE, PICTURE),
    *_only(media.upload_image, PICTURE),
    *_only(media.upload_attachment, media.MediaKind.IMAGE, media.AttachmentUse.PRODUCT_ALBUM, PICTURE),
    _full(media.upload_by_url, media.UrlUpload(media.MediaKind.VIDEO, "https://x.example/v.mp4", "v.mp4", "0" * 32)),
    _minimal(media.upload_by_url, media.UrlUpload(media.MediaKind.FILE, "https://x.example/a.pdf", "a.pdf")),
    *_only(media.get_upload_result, "job1"),
    *_only(media.download_media, "media1"),
    *_only(media.download_voice, "media1"),
)

_CUSTOMERS = (
    *_only(customers.list_customer_ids, LI),
    _full(
        customers.set_remark,
        customers.Remark(
            staff_id=LI,
            customer_id=CUSTOMER,
            remark="王芳",
            description="企业主",
            company="示例公司",
            mobiles=("13900000000",),
            picture_media_id="media1",
        ),
    ),
    _full(customers.set_remark, customers.Remark(staff_id=LI, customer_id=CUSTOMER, mobiles=customers.NO_MOBILES)),
    _minimal(customers.set_remark, customers.Remark(staff_id=LI, customer_id=CUSTOMER, remark="")),
    *_only(customers.iter_served_contacts),
    *_only(
        customers.convert_temporary_ids,
        customers.TemporaryIds(customers.TemporaryOrigin.MEETING, customers.TemporaryKind.CUSTOMER, ("tmp1",)),
    ),
    *_only(customers.find_group_by_opengid, "og1"),
    *_only(customers.find_customer_by_unionid, "u1"),
    *_only(customers.get_openid, CUSTOMER),
    _full(tags.list_tag_groups, tags.TagChoice(tag_ids=("t1",))),
    _full(tags.list_tag_groups, tags.TagChoice(group_ids=("g1",))),
    _minimal(tags.list_tag_groups),
    _full(
        tags.add_tags,
        tags.NewTags(tags=(tags.NewTag("稳健", 2), tags.NewTag("进取")), group_name="偏好", order=1, agent_id=1),
    ),
    _minimal(tags.add_tags, tags.NewTags(tags=(tags.NewTag("稳健"),), group_id="g1")),
    _full(tags.edit_tag, tags.TagEdit(id="t1", name="稳健", order=2, agent_id=1)),
    _minimal(tags.edit_tag, tags.TagEdit(id="t1", name="稳健")),
    _full(tags.delete_tags, tags.TagDeletion(tag_ids=("t1",), group_ids=("g1",), agent_id=1)),
    _minimal(tags.delete_tags, tags.TagDeletion(tag_ids=("t1",))),
    _full(tags.mark_customer, tags.TagMark(staff_id=LI, customer_id=CUSTOMER, add=("t1",), remove=("t2",))),
    _minimal(tags.mark_customer, tags.TagMark(staff_id=LI, customer_id=CUSTOMER, add=("t1",))),
    *_only(contacts.list_departments),
    *_only(contacts.list_members, 3),
    *_only(contacts.get_member, LI),
    *_only(contacts.list_follow_users),
    *_only(contacts.iter_customer_pages, (LI, WANG)),
    _full(contacts.get_customer_page, (LI, WANG), "cursor"),
    _minimal(contacts.get_customer_page, (LI,)),
    _full(contacts.get_group_id_page, (LI, WANG), "cursor"),
    _minimal(contacts.get_group_id_page, (LI,)),
    *_only(contacts.get_customer, CUSTOMER),
    *_only(contacts.list_corp_tags),
    *_only(contacts.iter_group_id_pages, (LI,)),
    *_only(contacts.get_group, GROUP),
)

_WAYS = (
    _full(
        contact_ways.add_contact_way,
        contact_ways.NewContactWay(
            kind=contact_ways.WayKind.SEVERAL,
            scene=contact_ways.WayScene.MINI_PROGRAM,
            style=1,
            remark="大堂",
            skip_verify=False,
            state="hall",
            staff_ids=(LI, WANG),
            department_ids=(3,),
            is_temporary=True,
            code_seconds=3600,
            chat_seconds=3600,
            unionid="u1",
            is_exclusive=True,
            mark_source=True,
            conclusion=contact_ways.Conclusion(
                "再见",
                "media1",
                attachments.LinkAttachment("标题", "https://x.example", "说明", "https://x.example/p.png"),
                attachments.MiniProgramAttachment("标题", "media1", "wx1", "pages/index"),
            ),
        ),
    ),
    _minimal(
        contact_ways.add_contact_way,
        contact_ways.NewContactWay(
            kind=contact_ways.WayKind.SINGLE, scene=contact_ways.WayScene.QR_CODE, staff_ids=(LI,)
        ),
    ),
    *_only(contact_ways.get_contact_way, "cfg1"),
    _full(contact_ways.iter_contact_way_ids, WEEK_AGO, NOON),
    _minimal(contact_ways.iter_contact_way_ids),
    _full(
        contact_ways.update_contact_way,
        contact_ways.ContactWayEdit(
            config_id="cfg1",
            style=1,
            remark="大堂",
            skip_verify=True,
            state="hall",
            staff_ids=(LI,),
            department_ids=(3,),
            is_temporary=False,
            code_seconds=60,
            chat_seconds=60,
            unionid="u1",
            is_exclusive=False,
            mark_source=False,
            conclusion=contact_ways.Conclusion("再见"),
        ),
    ),
    _minimal(contact_ways.update_contact_way, contact_ways.ContactWayEdit(config_id="cfg1", remark="大堂")),
    *_only(contact_ways.delete_contact_way, "cfg1"),
    *_only(contact_ways.close_temporary_chat, LI, CUSTOMER),
    _full(
        join_ways.add_join_way,
        join_ways.JoinWayParts(
            scene=join_ways.JoinScene.QR_CODE,
            chat_ids=(GROUP,),
            remark="大堂",
            auto_create=True,
            next_name="理财群",
            next_number=2,
            state="hall",
            mark_source=True,
        ),
    ),
    _minimal(join_ways.add_join_way, join_ways.JoinWayParts(scene=join_ways.JoinScene.MINI_PROGRAM, chat_ids=(GROUP,))),
    *_only(join_ways.get_join_way, "cfg1"),
    _full(
        join_ways.replace_join_way,
        join_ways.JoinWayReplacement(
            config_id="cfg1",
            scene=join_ways.JoinScene.QR_CODE,
            chat_ids=(GROUP,),
            remark="大堂",
            auto_create=False,
            next_name="理财群",
            next_number=2,
            state="hall",
            mark_source=False,
        ),
    ),
    _minimal(
        join_ways.replace_join_way,
        join_ways.JoinWayReplacement(config_id="cfg1", scene=join_ways.JoinScene.QR_CODE, chat_ids=(GROUP,)),
    ),
    *_only(join_ways.delete_join_way, "cfg1"),
)

_WELCOME = (
    _full(welcome.send_welcome_message, welcome.WelcomeMessage(code="code", text="欢迎", attachments=ATTACHMENTS)),
    _full(welcome.send_welcome_message, welcome.WelcomeMessage(code="code", attachments=BARE_ATTACHMENTS)),
    _minimal(welcome.send_welcome_message, welcome.WelcomeMessage(code="code", text="欢迎")),
    *(
        _full(
            welcome.add_group_welcome,
            welcome.NewGroupWelcome(text="%NICKNAME% 欢迎", attachment=attachment, agent_id=1, notify=True),
        )
        for attachment in ATTACHMENTS
    ),
    _minimal(welcome.add_group_welcome, welcome.NewGroupWelcome(text="欢迎")),
    _full(
        welcome.edit_group_welcome,
        welcome.GroupWelcomeEdit(template_id="tpl1", text="欢迎", attachment=ATTACHMENTS[1], agent_id=1),
    ),
    _minimal(welcome.edit_group_welcome, welcome.GroupWelcomeEdit(template_id="tpl1", text="欢迎")),
    *_only(welcome.get_group_welcome, "tpl1"),
    _full(welcome.delete_group_welcome, "tpl1", 1),
    _minimal(welcome.delete_group_welcome, "tpl1"),
)

_BROADCASTS = (
    _full(
        groupsend.create_broadcast,
        groupsend.GroupBroadcast(sender=LI, chat_ids=(GROUP,), text="您好", attachments=ATTACHMENTS),
    ),
    _full(
        groupsend.create_broadcast,
        groupsend.CustomerBroadcast(
            sender=LI,
            tags=(groupsend.TagChoice(("t1", "t2")), groupsend.TagChoice(("t3",))),
            text="您好",
            attachments=BARE_ATTACHMENTS,
            may_deselect=True,
        ),
    ),
    _minimal(groupsend.create_broadcast, groupsend.GroupBroadcast(sender=LI, text="您好")),
    _minimal(groupsend.create_broadcast, groupsend.CustomerBroadcast(customer_ids=(CUSTOMER, OTHER), text="您好")),
    *_only(groupsend.create_group_task, LI, (GROUP,), "您好"),
    _full(
        groupsend.iter_broadcasts,
        groupsend.BroadcastQuestion(
            kind=groupsend.ChatKind.SINGLE,
            since=WEEK_AGO,
            until=NOON,
            creator=LI,
            made_by=groupsend.MadeBy.ALL,
            limit=50,
        ),
    ),
    _minimal(
        groupsend.iter_broadcasts,
        groupsend.BroadcastQuestion(kind=groupsend.ChatKind.GROUP, since=WEEK_AGO, until=NOON),
    ),
    *_only(groupsend.iter_created, WEEK_AGO, NOON),
    *_only(groupsend.list_member_tasks, "msg1"),
    *_only(groupsend.list_send_results, "msg1", LI),
    *_only(groupsend.remind_members, "msg1"),
    *_only(groupsend.cancel_task, "msg1"),
    _full(groupsend.find_created, LI, "您好", attempted_at=WEEK_AGO, now=NOON, known=("msg0",)),
    _minimal(groupsend.find_created, LI, "您好", attempted_at=WEEK_AGO, now=NOON),
)

_MOMENTS = (
    _full(
        moments.add_moment,
        moments.NewMoment(
            text="节日快乐",
            attachments=(moments.MomentImage("media1"), moments.MomentImage("media2")),
            staff_ids=(LI,),
            department_ids=(3,),
            tag_ids=("t1",),
        ),
    ),
    _full(moments.add_moment, moments.NewMoment(attachments=(moments.MomentVideo("media1"),))),
    _full(
        moments.add_moment, moments.NewMoment(attachments=(moments.MomentLink("https://x.example", "media1", "标题"),))
    ),
    _minimal(moments.add_moment, moments.NewMoment(text="节日快乐")),
    *_only(moments.get_moment_job, "job1"),
    *_only(moments.cancel_moment, "mom1"),
    _full(moments.iter_moments, WEEK_AGO, NOON, made_by=moments.MomentMaker.ALL, creator=LI),
    _minimal(moments.iter_moments, WEEK_AGO, NOON),
    *_only(moments.iter_moment_tasks, "mom1"),
    *_only(moments.iter_moment_viewers, "mom1", LI),
    *_only(moments.iter_moment_receivers, "mom1", LI),
    *_only(moments.get_moment_reactions, "mom1", LI),
)

_TRANSFER = (
    _full(
        transfer.transfer_customers,
        transfer.OnJobHandover(giver=LI, taker=WANG, customer_ids=(CUSTOMER,), message="您好，今后由我服务您"),
    ),
    _minimal(transfer.transfer_customers, transfer.OnJobHandover(giver=LI, taker=WANG, customer_ids=(CUSTOMER,))),
    *_only(transfer.transfer_resigned_customers, transfer.Handover(giver=LI, taker=WANG, customer_ids=(CUSTOMER,))),
    *_only(transfer.iter_transfer_results, LI, WANG),
    *_only(transfer.iter_resigned_transfer_results, LI, WANG),
    *_only(transfer.iter_unassigned),
    *_only(transfer.transfer_groups, transfer.GroupHandover((GROUP,), WANG)),
    *_only(transfer.transfer_groups_on_job, transfer.GroupHandover((GROUP,), WANG)),
)

_STATISTICS = (
    _full(
        statistics.list_behaviour,
        statistics.BehaviourQuestion(since=WEEK_AGO, until=NOON, staff_ids=(LI,), department_ids=(3,)),
    ),
    _minimal(statistics.list_behaviour, statistics.BehaviourQuestion(since=WEEK_AGO, until=NOON, staff_ids=(LI,))),
    _full(
        statistics.iter_group_figures_by_owner,
        statistics.GroupQuestion(since=WEEK_AGO, until=NOON, owners=(LI,)),
        order=statistics.GroupOrder.MEMBERS,
        ascending=True,
    ),
    _minimal(statistics.iter_group_figures_by_owner, statistics.GroupQuestion(since=WEEK_AGO, owners=(LI,))),
    _full(statistics.list_group_figures_by_day, statistics.GroupQuestion(since=WEEK_AGO, until=NOON, owners=(LI,))),
    _minimal(statistics.list_group_figures_by_day, statistics.GroupQuestion(since=WEEK_AGO, owners=(LI,))),
)

_RANGE = intercept.RuleRange((LI,), (3,))
_RULES = (
    _full(
        intercept.add_rule,
        intercept.NewRule(
            name="保本承诺",
            words=("保本", "稳赚"),
            action=intercept.InterceptType.BLOCK_AND_WARN,
            range=_RANGE,
            semantics=(intercept.Semantics.PHONE_NUMBER, intercept.Semantics.RED_PACKET),
        ),
    ),
    _minimal(
        intercept.add_rule,
        intercept.NewRule(
            name="保本承诺", words=("保本",), action=intercept.InterceptType.WARN, range=intercept.RuleRange((LI,))
        ),
    ),
    *_only(intercept.list_rules),
    *_only(intercept.get_rule, "rule1"),
    _full(
        intercept.update_rule,
        intercept.RuleEdit(
            rule_id="rule1",
            name="保本承诺",
            words=("保本",),
            semantics=(intercept.Semantics.EMAIL,),
            action=intercept.InterceptType.WARN,
            add_range=_RANGE,
            remove_range=intercept.RuleRange(department_ids=(4,)),
        ),
    ),
    _minimal(intercept.update_rule, intercept.RuleEdit(rule_id="rule1", name="保本承诺", words=("保本",))),
    *_only(intercept.delete_rule, "rule1"),
)

_PRODUCTS = (
    _full(
        products.add_product,
        products.NewProduct(
            description="大额存单", price_fen=20_000, images=(products.ProductImage("media1"),), number="CD001"
        ),
    ),
    _minimal(
        products.add_product,
        products.NewProduct(description="大额存单", price_fen=0, images=(products.ProductImage("media1"),)),
    ),
    *_only(products.get_product, "p1"),
    *_only(products.iter_products),
    _full(
        products.update_product,
        products.ProductEdit(
            product_id="p1",
            description="大额存单",
            price_fen=1,
            images=(products.ProductImage("media1"),),
            number="CD001",
        ),
    ),
    _minimal(products.update_product, products.ProductEdit(product_id="p1", price_fen=1)),
    *_only(products.delete_product, "p1"),
    _full(
        acquisition.create_link,
        acquisition.NewLink(
            name="公众号",
            range=acquisition.LinkRange((LI,), (3,)),
            priority=acquisition.LinkPriority(acquisition.PriorityType.SECOND, (LI,)),
            skip_verify=True,
            mark_source=True,
        ),
    ),
    _minimal(acquisition.create_link, acquisition.NewLink(name="公众号", range=acquisition.LinkRange((LI,)))),
    *_only(acquisition.get_link, "l1"),
    *_only(acquisition.iter_link_ids),
    _full(
        acquisition.update_link,
        acquisition.LinkEdit(
            link_id="l1",
            name="公众号",
            range=acquisition.LinkRange((LI,), (3,)),
            priority=acquisition.LinkPriority(acquisition.PriorityType.FIRST),
            skip_verify=False,
            mark_source=False,
        ),
    ),
    _minimal(acquisition.update_link, acquisition.LinkEdit(link_id="l1", name="公众号")),
    *_only(acquisition.delete_link, "l1"),
    *_only(acquisition.iter_link_customers, "l1"),
    *_only(acquisition.get_quota),
    *_only(acquisition.get_link_figures, "l1", WEEK_AGO, NOON),
    *_only(acquisition.get_acquired_chat, "key1"),
)

KF_MENU = kf_messages.KfMenuBody(
    (
        kf_messages.MenuChoice("1", "查利率"),
        kf_messages.MenuLink("https://x.example", "官网"),
        kf_messages.MenuMiniProgram("wx1", "pages/index", "小程序"),
        kf_messages.MenuText("或者", same_line=True),
        kf_messages.MenuText("再见"),
    ),
    "请选择",
    "或回复人工",
)
KF_BODIES: tuple[kf_messages.KfBody, ...] = (
    kf_messages.KfTextBody("您好"),
    kf_messages.KfImageBody("media1"),
    kf_messages.KfVoiceBody("media1"),
    kf_messages.KfVideoBody("media1"),
    kf_messages.KfFileBody("media1"),
    kf_messages.KfLinkBody("标题", "https://x.example", "media1", "说明"),
    kf_messages.KfMiniProgramBody("wx1", "标题", "media1", "pages/index"),
    KF_MENU,
    kf_messages.KfMenuBody((kf_messages.MenuChoice("1", "查利率"),)),
    kf_messages.KfLocationBody("网点", 31.2, 121, "某路 1 号"),
    kf_messages.KfLocationBody("网点", 31.2, 121.5),
    kf_messages.KfCardBody(LI),
    kf_messages.KfAcquisitionBody("https://x.example/ca/1"),
)

_KF = (
    *_only(kf.add_account, kf.NewAccount("示例银行", "media1")),
    *_only(kf.delete_account, KFID),
    _full(kf.update_account, kf.AccountEdit(open_kfid=KFID, name="示例银行", avatar_media_id="media1")),
    _minimal(kf.update_account, kf.AccountEdit(open_kfid=KFID, name="示例银行")),
    *_only(kf.iter_accounts),
    _full(kf.add_kf_contact_way, kf.KfContactWay(KFID, "hall_1")),
    _minimal(kf.add_kf_contact_way, kf.KfContactWay(KFID)),
    _full(kf.add_servicers, kf.ServicerChange(open_kfid=KFID, staff_ids=(LI,), department_ids=(3,))),
    _minimal(kf.add_servicers, kf.ServicerChange(open_kfid=KFID, staff_ids=(LI,))),
    _full(kf.delete_servicers, kf.ServicerChange(open_kfid=KFID, staff_ids=(LI,), department_ids=(3,))),
    _minimal(kf.delete_servicers, kf.ServicerChange(open_kfid=KFID, department_ids=(3,))),
    *_only(kf.list_servicers, KFID),
    *_only(kf.get_session, KFID, CUSTOMER),
    _full(
        kf.change_session,
        kf.StateChange(open_kfid=KFID, customer_id=CUSTOMER, state=kf.SessionState.HUMAN, servicer=LI),
    ),
    _minimal(kf.change_session, kf.StateChange(open_kfid=KFID, customer_id=CUSTOMER, state=kf.SessionState.WAITING)),
    _full(kf.get_kf_customers, (CUSTOMER, OTHER), with_entry=True),
    _minimal(kf.get_kf_customers, (CUSTOMER,)),
    *_only(kf.get_upgrade_targets),
    _full(
        kf.upgrade_service,
        kf.Upgrade(
            open_kfid=KFID, customer_id=CUSTOMER, kind=kf.UpgradeKind.MEMBER, member=kf.MemberTarget(LI, "您的客户经理")
        ),
    ),
    _full(
        kf.upgrade_service,
        kf.Upgrade(
            open_kfid=KFID, customer_id=CUSTOMER, kind=kf.UpgradeKind.GROUP, group=kf.GroupTarget(GROUP, "理财群")
        ),
    ),
    _minimal(
        kf.upgrade_service,
        kf.Upgrade(open_kfid=KFID, customer_id=CUSTOMER, kind=kf.UpgradeKind.MEMBER, member=kf.MemberTarget(LI)),
    ),
    *_only(kf.cancel_upgrade, KFID, CUSTOMER),
    _full(kf.list_corp_days, kf.KfQuestion(since=WEEK_AGO, until=NOON, open_kfid=KFID)),
    _minimal(kf.list_corp_days, kf.KfQuestion(since=WEEK_AGO, until=NOON)),
    _full(kf.list_servicer_days, kf.ServicerQuestion(since=WEEK_AGO, until=NOON, open_kfid=KFID, servicer=LI)),
    _minimal(kf.list_servicer_days, kf.ServicerQuestion(since=WEEK_AGO, until=NOON)),
    *_only(kf.is_bound_to_channels),
    *(
        _full(
            kf_messages.send_kf_message,
            kf_messages.KfMessage(open_kfid=KFID, customer_id=CUSTOMER, body=body, message_id="m_1-a"),
        )
        for body in KF_BODIES
    ),
    _minimal(
        kf_messages.send_kf_message,
        kf_messages.KfMessage(open_kfid=KFID, customer_id=CUSTOMER, body=kf_messages.KfTextBody("您好")),
    ),
    _full(kf_messages.send_on_event, kf_messages.KfEventMessage(code="code", body=KF_MENU, message_id="m1")),
    _minimal(kf_messages.send_on_event, kf_messages.KfEventMessage(code="code", body=kf_messages.KfTextBody("您好"))),
    _full(
        kf_messages.pull_messages,
        kf_messages.Pull(open_kfid=KFID, cursor="c", token="t", limit=1000, voice_format=kf_messages.VoiceFormat.SILK),
    ),
    _minimal(kf_messages.pull_messages, kf_messages.Pull(open_kfid=KFID)),
    *_only(kf_knowledge.add_knowledge_group, "存款"),
    *_only(kf_knowledge.rename_knowledge_group, "g1", "存款"),
    *_only(kf_knowledge.delete_knowledge_group, "g1"),
    *_only(kf_knowledge.iter_knowledge_groups),
    _full(
        kf_knowledge.add_intent,
        kf_knowledge.NewIntent(
            group_id="g1",
            question=kf_knowledge.KnowledgeQuestion("利率多少"),
            similar=(kf_knowledge.KnowledgeQuestion("利率"), kf_knowledge.KnowledgeQuestion("几个点")),
            answers=(
                kf_knowledge.KnowledgeAnswer(
                    "以公告为准",
                    (
                        kf_knowledge.AnswerImage("media1"),
                        kf_knowledge.AnswerVideo("media1"),
                        kf_knowledge.AnswerLink("公告", "https://x.example", "说明", "https://x.example/p.png"),
                        kf_knowledge.AnswerMiniProgram("wx1", "pages/index", "标题", "media1"),
                    ),
                ),
            ),
        ),
    ),
    _minimal(
        kf_knowledge.add_intent,
        kf_knowledge.NewIntent(
            group_id="g1",
            question=kf_knowledge.KnowledgeQuestion("利率多少"),
            answers=(kf_knowledge.KnowledgeAnswer("以公告为准"),),
        ),
    ),
    _full(
        kf_knowledge.update_intent,
        kf_knowledge.IntentEdit(
            intent_id="i1",
            question=kf_knowledge.KnowledgeQuestion("利率多少"),
            similar=(kf_knowledge.KnowledgeQuestion("利率"),),
            answers=(kf_knowledge.KnowledgeAnswer("以公告为准"),),
        ),
    ),
    _minimal(
        kf_knowledge.update_intent,
        kf_knowledge.IntentEdit(intent_id="i1", question=kf_knowledge.KnowledgeQuestion("利率多少")),
    ),
    *_only(kf_knowledge.delete_intent, "i1"),
    _full(kf_knowledge.iter_intents, "g1"),
    _minimal(kf_knowledge.iter_intents),
)

_PAGES = (
    *_only(login.get_visitor, "code"),
    *_only(login.get_visitor_by_old_path, "code"),
    *_only(login.get_member_detail, "ticket"),
    _full(agents.get_agent, 1, app="app"),
    _minimal(agents.get_agent, 1),
    *_only(agents.list_callback_ips),
    *_only(agents.list_api_ips),
)

EXAMPLES: tuple[Example, ...] = (
    *_MESSAGES,
    *_WEBHOOK,
    *_MEDIA,
    *_CUSTOMERS,
    *_WAYS,
    *_WELCOME,
    *_BROADCASTS,
    *_MOMENTS,
    *_TRANSFER,
    *_STATISTICS,
    *_RULES,
    *_PRODUCTS,
    *_KF,
    *_PAGES,
)
