"""Every documented limit: what is just within is sent, what is just beyond is refused before anything is sent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom import groupsend
from bot.wecom.api import (
    acquisition,
    aibot,
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
from bot.wecom.api.wire import RequestInvalid, to_body

API = "POST /cgi-bin/tested"
LI = StaffId("li")
CUSTOMER = CustomerId("wm1")
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
URL = "https://x.example"
TITLE = cards.Title("题")


def message(body: messages.MessageBody) -> messages.AppMessage:
    return messages.AppMessage(agent_id=1, staff_ids=(LI,), body=body)


def buttons(count: int, task_id: str | None = "t") -> cards.ButtonCard:
    return cards.ButtonCard(
        title=TITLE, task_id=task_id, buttons=tuple(cards.CardButton("好", f"k{number}") for number in range(count))
    )


def votes(count: int) -> cards.VoteCard:
    options = tuple(cards.VoteOption(f"o{number}", "甲") for number in range(count))
    return cards.VoteCard(
        title=TITLE, task_id="t", checkbox=cards.Checkbox("q", options), submit=cards.SubmitButton("交", "s")
    )


def selects(count: int, options: int = 1) -> cards.SelectCard:
    lines = tuple(cards.SelectOption(f"o{number}", "甲") for number in range(options))
    chosen = tuple(cards.Select(f"q{number}", "选", lines) for number in range(count))
    return cards.SelectCard(task_id="t", selects=chosen, submit=cards.SubmitButton("交", "s"))


def notice(**parts: Any) -> cards.TextNotice:
    known: dict[str, Any] = {"text": "说明", "target": cards.Target(url=URL)}
    return cards.TextNotice(**(known | parts))


def way(**parts: Any) -> contact_ways.NewContactWay:
    known: dict[str, Any] = {
        "kind": contact_ways.WayKind.SINGLE,
        "scene": contact_ways.WayScene.QR_CODE,
        "staff_ids": (LI,),
    }
    return contact_ways.NewContactWay(**(known | parts))


def rule(**parts: Any) -> intercept.NewRule:
    known: dict[str, Any] = {
        "name": "规则",
        "words": ("保本",),
        "action": intercept.InterceptType.WARN,
        "range": intercept.RuleRange((LI,)),
    }
    return intercept.NewRule(**(known | parts))


def handover(**parts: Any) -> transfer.OnJobHandover:
    return transfer.OnJobHandover(**({"giver": LI, "taker": StaffId("wang"), "customer_ids": (CUSTOMER,)} | parts))


def product(**parts: Any) -> products.NewProduct:
    known: dict[str, Any] = {"description": "存单", "price_fen": 1, "images": (products.ProductImage("m"),)}
    return products.NewProduct(**(known | parts))


def intent(question: str = "问", answer: str = "答", similar: int = 0, pictures: int = 0) -> kf_knowledge.NewIntent:
    return kf_knowledge.NewIntent(
        group_id="g",
        question=kf_knowledge.KnowledgeQuestion(question),
        answers=(kf_knowledge.KnowledgeAnswer(answer, (kf_knowledge.AnswerImage("m"),) * pictures),),
        similar=(kf_knowledge.KnowledgeQuestion("问"),) * similar,
    )


def kf_text(**parts: Any) -> kf_messages.KfMessage:
    known: dict[str, Any] = {"open_kfid": "wk1", "customer_id": CUSTOMER, "body": kf_messages.KfTextBody("好")}
    return kf_messages.KfMessage(**(known | parts))


def choices(count: int, head: str = "选") -> kf_messages.KfMenuBody:
    return kf_messages.KfMenuBody(tuple(kf_messages.MenuChoice(str(n), "好") for n in range(count)), head)


def bytes_of(size: int) -> str:
    """Return a text of Chinese characters, three bytes each, filled up to `size` bytes."""
    return "好" * (size // 3) + "a" * (size % 3)


def staff(count: int) -> tuple[StaffId, ...]:
    return tuple(StaffId(f"rm{number}") for number in range(count))


# (what, its field, how to make it of a size, the largest size that is allowed)
SIZES: Sequence[tuple[str, str, Callable[[int], Any], int]] = (
    ("a text", "text.content", lambda n: message(messages.TextBody(bytes_of(n))), 2048),
    ("a markdown", "markdown.content", lambda n: message(messages.MarkdownBody(bytes_of(n))), 2048),
    ("a video's title", "video.title", lambda n: message(messages.VideoBody("m", bytes_of(n))), 128),
    ("a video's words", "video.description", lambda n: message(messages.VideoBody("m", None, bytes_of(n))), 512),
    ("a text card's title", "textcard.title", lambda n: message(messages.TextCardBody("好" * n, "说", URL)), 128),
    ("a text card's words", "textcard.description", lambda n: message(messages.TextCardBody("题", "好" * n, URL)), 512),
    ("a text card's url", "textcard.url", lambda n: message(messages.TextCardBody("题", "说", "u" * n)), 2048),
    ("a text card's button", "textcard.btntxt", lambda n: message(messages.TextCardBody("题", "说", URL, "好" * n)), 4),
    ("articles", "news.articles", lambda n: message(messages.NewsBody((messages.Article("题", URL),) * n)), 8),
    (
        "an article's title",
        "news.articles[0].title",
        lambda n: message(messages.NewsBody((messages.Article(bytes_of(n), URL),))),
        128,
    ),
    (
        "stored articles",
        "mpnews.articles",
        lambda n: message(messages.StoredNewsBody((messages.StoredArticle("题", "文", "m"),) * n)),
        8,
    ),
    (
        "a stored article",
        "mpnews.articles[0].content",
        lambda n: message(messages.StoredNewsBody((messages.StoredArticle("题", "a" * n, "m"),))),
        666 * 1024,
    ),
    (
        "lines of a mini-program notice",
        "miniprogram_notice.content_item",
        lambda n: message(
            messages.MiniProgramNoticeBody("wx", "p", "到期提醒", items=(messages.NoticeItem("k", "v"),) * n)
        ),
        10,
    ),
    (
        "a mini-program notice's title",
        "miniprogram_notice.title",
        lambda n: message(messages.MiniProgramNoticeBody("wx", "p", "好" * n)),
        12,
    ),
    (
        "members",
        "touser",
        lambda n: messages.AppMessage(agent_id=1, staff_ids=staff(n), body=messages.TextBody("好")),
        1000,
    ),
    (
        "departments",
        "toparty",
        lambda n: messages.AppMessage(agent_id=1, department_ids=tuple(range(n)), body=messages.TextBody("好")),
        100,
    ),
    (
        "the span of repeats",
        "duplicate_check_interval",
        lambda n: messages.AppMessage(
            agent_id=1, staff_ids=(LI,), body=messages.TextBody("好"), drop_repeats=True, repeat_seconds=n
        ),
        14_400,
    ),
    ("buttons", "template_card.button_list", lambda n: message(buttons(n)), 6),
    ("a task id", "template_card.task_id", lambda n: message(buttons(1, "t" * n)), 128),
    ("votes", "template_card.checkbox.option_list", lambda n: message(votes(n)), 20),
    ("selections", "template_card.select_list", lambda n: message(selects(n)), 3),
    ("lines of a selection", "template_card.select_list[0].option_list", lambda n: message(selects(1, n)), 10),
    (
        "facts",
        "template_card.horizontal_content_list",
        lambda n: message(notice(facts=(cards.Fact("名", "值"),) * n)),
        6,
    ),
    (
        "jumps",
        "template_card.jump_list",
        lambda n: message(notice(jumps=(cards.Jump(title="去", url=URL),) * n)),
        3,
    ),
    (
        "the corner menu",
        "template_card.action_menu.action_list",
        lambda n: message(notice(task_id="t", menu=cards.ActionMenu((cards.MenuAction("好", "k"),) * n))),
        3,
    ),
    (
        "paragraphs",
        "template_card.vertical_content_list",
        lambda n: message(
            cards.NewsNotice(
                title=cards.Title("题"),
                image=cards.CardImage(URL),
                target=cards.Target(url=URL),
                paragraphs=(cards.Paragraph("题"),) * n,
            )
        ),
        4,
    ),
    (
        "a button's key",
        "template_card.button_list[0].key",
        lambda n: message(cards.ButtonCard(title=TITLE, task_id="t", buttons=(cards.CardButton("好", "k" * n),))),
        1024,
    ),
    ("a staff group's name", "name", lambda n: appchat.NewChat(name="好" * n, members=staff(2)), 50),
    ("a staff group's members", "userlist", lambda n: appchat.NewChat(name="群", members=staff(n)), 2000),
    ("a staff group's id", "chatid", lambda n: appchat.NewChat(name="群", members=staff(2), chat_id="c" * n), 32),
    ("a remark", "remark", lambda n: customers.Remark(staff_id=LI, customer_id=CUSTOMER, remark="好" * n), 20),
    (
        "a description",
        "description",
        lambda n: customers.Remark(staff_id=LI, customer_id=CUSTOMER, description="好" * n),
        150,
    ),
    (
        "a company",
        "remark_company",
        lambda n: customers.Remark(staff_id=LI, customer_id=CUSTOMER, company="好" * n),
        20,
    ),
    ("a tag's name", "tag[0].name", lambda n: tags.NewTags(tags=(tags.NewTag("好" * n),), group_id="g"), 30),
    ("a tag's order", "order", lambda n: tags.TagEdit(id="t", order=n), 2**32 - 1),
    ("a code's remark", "remark", lambda n: way(remark="好" * n), 30),
    ("a code's state", "state", lambda n: way(state="好" * n), 30),
    ("a code's members", "user", lambda n: way(kind=contact_ways.WayKind.SEVERAL, staff_ids=staff(n)), 100),
    (
        "a code's members and departments",
        "user",
        lambda n: way(kind=contact_ways.WayKind.SEVERAL, staff_ids=staff(50), department_ids=tuple(range(n - 50))),
        100,
    ),
    (
        "a join code's groups",
        "chat_id_list",
        lambda n: join_ways.JoinWayParts(scene=join_ways.JoinScene.QR_CODE, chat_ids=(GroupChatId("wr"),) * n),
        5,
    ),
    (
        "a join code's next name",
        "room_base_name",
        lambda n: join_ways.JoinWayParts(
            scene=join_ways.JoinScene.QR_CODE, chat_ids=(GroupChatId("wr"),), next_name="好" * n
        ),
        40,
    ),
    ("a welcome", "text.content", lambda n: welcome.WelcomeMessage(code="c", text=bytes_of(n)), 4000),
    (
        "a welcome's attachments",
        "attachments",
        lambda n: welcome.WelcomeMessage(code="c", attachments=(attachments.FileAttachment("m"),) * n),
        9,
    ),
    (
        "a link's title",
        "attachments[0].link.title",
        lambda n: welcome.WelcomeMessage(code="c", attachments=(attachments.LinkAttachment(bytes_of(n), URL),)),
        128,
    ),
    (
        "a link's words",
        "attachments[0].link.desc",
        lambda n: welcome.WelcomeMessage(code="c", attachments=(attachments.LinkAttachment("题", URL, bytes_of(n)),)),
        512,
    ),
    (
        "a mini program's title",
        "attachments[0].miniprogram.title",
        lambda n: welcome.WelcomeMessage(
            code="c", attachments=(attachments.MiniProgramAttachment(bytes_of(n), "m", "wx", "p"),)
        ),
        64,
    ),
    ("a group's welcome", "text.content", lambda n: welcome.NewGroupWelcome(text=bytes_of(n)), 3000),
    ("a broadcast", "text.content", lambda n: groupsend.GroupBroadcast(sender=LI, text=bytes_of(n)), 4000),
    (
        "a broadcast's groups",
        "chat_id_list",
        lambda n: groupsend.GroupBroadcast(sender=LI, text="好", chat_ids=(GroupChatId("wr"),) * n),
        2000,
    ),
    (
        "a broadcast's customers",
        "external_userid",
        lambda n: groupsend.CustomerBroadcast(text="好", customer_ids=(CUSTOMER,) * n),
        10_000,
    ),
    (
        "a broadcast's tags",
        "tag_filter.group_list[0].tag_list",
        lambda n: groupsend.CustomerBroadcast(sender=LI, text="好", tags=(groupsend.TagChoice(("t",) * n),)),
        100,
    ),
    ("a moment's characters", "text.content", lambda n: moments.NewMoment(text="a" * n), 2000),
    ("a moment's bytes", "text.content", lambda n: moments.NewMoment(text=bytes_of(n)), 4000),
    ("a moment's pictures", "attachments", lambda n: moments.NewMoment(attachments=(moments.MomentImage("m"),) * n), 9),
    (
        "a moment's link",
        "attachments[0].link.title",
        lambda n: moments.NewMoment(attachments=(moments.MomentLink(URL, "m", "好" * n),)),
        64,
    ),
    (
        "a moment's members",
        "visible_range.sender_list.user_list",
        lambda n: moments.NewMoment(text="好", staff_ids=(LI,) * n),
        100_000,
    ),
    ("a transfer's customers", "external_userid", lambda n: handover(customer_ids=(CUSTOMER,) * n), 100),
    ("a transfer's words", "transfer_success_msg", lambda n: handover(message="好" * n), 200),
    ("a transfer's groups", "chat_id_list", lambda n: transfer.GroupHandover((GroupChatId("wr"),) * n, LI), 100),
    (
        "asked members",
        "userid",
        lambda n: statistics.BehaviourQuestion(since=NOON, until=NOON, staff_ids=(LI,) * n),
        100,
    ),
    (
        "asked days",
        "end_time",
        lambda n: statistics.BehaviourQuestion(since=NOON, until=NOON + timedelta(days=n), staff_ids=(LI,)),
        30,
    ),
    ("a rule's name", "rule_name", lambda n: rule(name="好" * n), 20),
    ("a rule's words", "word_list", lambda n: rule(words=("保本",) * n), 300),
    ("a rule's word", "word_list", lambda n: rule(words=("好" * n,)), 32),
    ("a rule's members", "applicable_range.user_list", lambda n: rule(range=intercept.RuleRange((LI,) * n)), 1000),
    ("a product's words", "description", lambda n: product(description="好" * n), 300),
    ("a product's price", "price", lambda n: product(price_fen=n), 5_000_000),
    ("a product's pictures", "attachments", lambda n: product(images=(products.ProductImage("m"),) * n), 9),
    ("a product's number", "product_sn", lambda n: product(number="a" * n), 128),
    (
        "a link's name",
        "link_name",
        lambda n: acquisition.NewLink(name="好" * n, range=acquisition.LinkRange((LI,))),
        30,
    ),
    ("an account's name", "name", lambda n: kf.NewAccount("好" * n, "m"), 16),
    ("an account's scene", "scene", lambda n: kf.KfContactWay("wk1", "s" * n), 32),
    (
        "servicers",
        "userid_list",
        lambda n: kf.ServicerChange(open_kfid="wk1", staff_ids=(LI,) * n),
        100,
    ),
    ("a kf text", "text.content", lambda n: kf_text(body=kf_messages.KfTextBody(bytes_of(n))), 2048),
    ("a kf menu", "msgmenu.list", lambda n: kf_text(body=choices(n)), 50),
    ("a kf menu's head", "msgmenu.head_content", lambda n: kf_text(body=choices(1, bytes_of(n))), 1024),
    (
        "a kf menu's mini programs",
        "msgmenu.list",
        lambda n: kf_text(body=kf_messages.KfMenuBody((kf_messages.MenuMiniProgram("wx", "p", "去"),) * n)),
        10,
    ),
    ("a kf message id", "msgid", lambda n: kf_text(message_id="m" * n), 32),
    ("a kf page", "limit", lambda n: kf_messages.Pull(open_kfid="wk1", limit=n), 1000),
    ("a question", "question.text.content", lambda n: intent("好" * n), 200),
    ("an answer", "answers[0].text.content", lambda n: intent(answer="好" * n), 500),
    ("similar questions", "similar_questions.items", lambda n: intent(similar=n), 100),
    ("an answer's pictures", "answers[0].attachments", lambda n: intent(pictures=n), 4),
    ("a webhook text", "text.content", lambda n: webhook._WebhookMessage(webhook.WebhookText(bytes_of(n))), 2048),
    (
        "a webhook markdown",
        "markdown_v2.content",
        lambda n: webhook._WebhookMessage(webhook.WebhookMarkdown2(bytes_of(n))),
        4096,
    ),
    (
        "a webhook picture",
        "image.base64",
        lambda n: webhook._WebhookMessage(webhook.image_of(b"x" * n)),
        2 * 1024 * 1024,
    ),
    ("an AI-bot answer", "markdown.content", lambda n: aibot.BotResponse(aibot.BotMarkdown(bytes_of(n))), 20_480),
    (
        "an AI-bot feedback id",
        "markdown.feedback.id",
        lambda n: aibot.BotResponse(aibot.BotMarkdown("好", "f" * n)),
        256,
    ),
)


@pytest.mark.parametrize(("what", "field", "make", "most"), SIZES, ids=[row[0] for row in SIZES])
def test_size_at_the_limit_is_sent_and_one_more_is_refused(
    what: str, field: str, make: Callable[[int], Any], most: int
) -> None:
    assert to_body(API, make(most))
    with pytest.raises(RequestInvalid) as refused:
        to_body(API, make(most + 1 if what != "a webhook picture" else most + 3))
    assert refused.value.field == field
    assert refused.value.api == API


# (what, its field, what is wrong with it)
WRONG: Sequence[tuple[str, str, Any]] = (
    ("nobody addressed", "touser", messages.AppMessage(agent_id=1, body=messages.TextBody("好"))),
    ("an empty text", "text.content", message(messages.TextBody(""))),
    (
        "a joined id",
        "touser",
        messages.AppMessage(agent_id=1, staff_ids=(StaffId("a|b"),), body=messages.TextBody("好")),
    ),
    (
        "a mini-program notice to all",
        "touser",
        messages.AppMessage(
            agent_id=1,
            staff_ids=(messages.EVERYONE,),
            body=messages.MiniProgramNoticeBody("wx", "p", "到期提醒"),
        ),
    ),
    (
        "a confidential card",
        "safe",
        messages.AppMessage(agent_id=1, staff_ids=(LI,), body=buttons(1), safety=messages.Safety.CONFIDENTIAL),
    ),
    (
        "a text inside the corp only",
        "safe",
        messages.AppMessage(
            agent_id=1, staff_ids=(LI,), body=messages.TextBody("好"), safety=messages.Safety.INSIDE_CORP
        ),
    ),
    ("buttons without a task", "template_card.task_id", message(buttons(1, None))),
    ("buttons without a title", "template_card.main_title", message(replace(buttons(1), title=None))),
    ("a task id with a blank", "template_card.task_id", message(buttons(1, "a b"))),
    ("a notice that opens nothing", "template_card.card_action", message(cards.TextNotice(text="好"))),
    ("a notice without words", "template_card.main_title", message(cards.TextNotice(target=cards.Target(url=URL)))),
    ("a target without address", "template_card.card_action.url", message(notice(target=cards.Target()))),
    (
        "a fact that opens nothing",
        "template_card.horizontal_content_list[0].userid",
        message(notice(facts=(cards.Fact("名", "值", cards.FactKind.MEMBER),))),
    ),
    (
        "a corner menu without a task",
        "template_card.task_id",
        message(notice(menu=cards.ActionMenu((cards.MenuAction("好", "k"),)))),
    ),
    (
        "a button that does nothing",
        "template_card.button_list[0].key",
        message(cards.ButtonCard(title=TITLE, task_id="t", buttons=(cards.CardButton("好"),))),
    ),
    (
        "a news card without a picture",
        "template_card.card_image",
        message(cards.NewsNotice(title=cards.Title("题"), target=cards.Target(url=URL))),
    ),
    ("a card change of nothing", "button", messages.CardChange(agent_id=1, response_code="c", staff_ids=(LI,))),
    ("a card change without code", "response_code", messages.CardChange(agent_id=1, response_code="", staff_ids=(LI,))),
    ("a staff group of one", "userlist", appchat.NewChat(name="群", members=(LI,))),
    ("an owner from outside", "owner", appchat.NewChat(name="群", members=staff(2), owner=LI)),
    ("two groups of a tag", "group_id", tags.NewTags(tags=(tags.NewTag("好"),), group_id="g", group_name="组")),
    ("no group of a tag", "group_id", tags.NewTags(tags=(tags.NewTag("好"),))),
    ("an empty mark", "add_tag", tags.TagMark(staff_id=LI, customer_id=CUSTOMER)),
    ("a deletion of nothing", "tag_id", tags.TagDeletion()),
    ("a list by two keys", "tag_id", tags.TagChoice(("t",), ("g",))),
    ("two members of a single code", "user", way(staff_ids=staff(2))),
    ("nobody behind a code", "user", way(kind=contact_ways.WayKind.SEVERAL, staff_ids=())),
    ("a style of a QR code", "style", way(style=1)),
    ("closing words of a lasting code", "is_temp", way(conclusion=contact_ways.Conclusion("再见"))),
    (
        "a join code without group",
        "chat_id_list",
        join_ways.JoinWayParts(scene=join_ways.JoinScene.QR_CODE, chat_ids=()),
    ),
    ("an empty welcome", "text", welcome.WelcomeMessage(code="c")),
    ("a welcome without code", "welcome_code", welcome.WelcomeMessage(code="", text="好")),
    ("an empty group welcome", "text", welcome.NewGroupWelcome()),
    (
        "a picture of nothing",
        "attachments[0].image.media_id",
        welcome.WelcomeMessage(code="c", attachments=(attachments.ImageAttachment(),)),
    ),
    ("an empty broadcast", "text", groupsend.GroupBroadcast(sender=LI)),
    ("a broadcast to nobody", "sender", groupsend.CustomerBroadcast(text="好")),
    (
        "tags beside customers",
        "tag_filter",
        groupsend.CustomerBroadcast(
            text="好", sender=LI, customer_ids=(CUSTOMER,), tags=(groupsend.TagChoice(("t",)),)
        ),
    ),
    (
        "a list of two months",
        "end_time",
        groupsend.BroadcastQuestion(kind=groupsend.ChatKind.GROUP, since=NOON - timedelta(days=60), until=NOON),
    ),
    ("an empty moment", "text", moments.NewMoment()),
    (
        "a moment with a video and a picture",
        "attachments",
        moments.NewMoment(attachments=(moments.MomentVideo("m"), moments.MomentImage("m"))),
    ),
    ("a transfer to oneself", "takeover_userid", handover(taker=LI)),
    ("figures of nobody", "userid", statistics.BehaviourQuestion(since=NOON, until=NOON)),
    (
        "days in the wrong order",
        "end_time",
        statistics.BehaviourQuestion(since=NOON, until=NOON - timedelta(days=1), staff_ids=(LI,)),
    ),
    ("a rule without words", "word_list", rule(words=())),
    ("a rule with an empty word", "word_list", rule(words=("保本", ""))),
    ("a rule for nobody", "applicable_range.user_list", rule(range=intercept.RuleRange())),
    ("a product number with a dash", "product_sn", product(number="CD-1")),
    ("a product without picture", "attachments", product(images=())),
    ("a link for nobody", "range.user_list", acquisition.NewLink(name="好", range=acquisition.LinkRange())),
    ("a scene with a blank", "scene", kf.KfContactWay("wk1", "a b")),
    ("servicers of nobody", "userid_list", kf.ServicerChange(open_kfid="wk1")),
    (
        "a person without a name",
        "servicer_userid",
        kf.StateChange(open_kfid="wk1", customer_id=CUSTOMER, state=kf.SessionState.HUMAN),
    ),
    (
        "a name without a person",
        "servicer_userid",
        kf.StateChange(open_kfid="wk1", customer_id=CUSTOMER, state=kf.SessionState.WAITING, servicer=LI),
    ),
    (
        "a hand-over to nobody",
        "member",
        kf.Upgrade(open_kfid="wk1", customer_id=CUSTOMER, kind=kf.UpgradeKind.MEMBER),
    ),
    ("a kf message id with a blank", "msgid", kf_text(message_id="a b")),
    (
        "two answers",
        "answers",
        kf_knowledge.NewIntent(
            group_id="g",
            question=kf_knowledge.KnowledgeQuestion("问"),
            answers=(kf_knowledge.KnowledgeAnswer("甲"), kf_knowledge.KnowledgeAnswer("乙")),
        ),
    ),
)


@pytest.mark.parametrize(("what", "field", "request_"), WRONG, ids=[row[0] for row in WRONG])
def test_what_cannot_be_right_is_refused_and_named(what: str, field: str, request_: Any) -> None:
    with pytest.raises(RequestInvalid) as refused:
        to_body(API, request_)
    assert refused.value.field == field, what


def test_the_refusal_names_api_field_and_limit_but_never_the_value() -> None:
    secret = "机密" * 2000
    with pytest.raises(RequestInvalid) as refused:
        to_body(messages.SEND, message(messages.TextBody(secret)))
    assert str(refused.value) == "POST /cgi-bin/message/send: text.content is longer than 2048 bytes"
    assert refused.value.code == "refused.request"


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        (media.MediaKind.IMAGE, 10 * 1024 * 1024),
        (media.MediaKind.VOICE, 2 * 1024 * 1024),
        (media.MediaKind.VIDEO, 10 * 1024 * 1024),
        (media.MediaKind.FILE, 20 * 1024 * 1024),
    ],
)
def test_file_must_be_of_a_size_the_platform_takes(kind: media.MediaKind, most: int) -> None:
    media.check_size(media.UPLOAD, media.LocalFile("a", b"x" * most, "x/y"), media.LARGEST[kind])
    media.check_size(media.UPLOAD, media.LocalFile("a", b"x" * 6, "x/y"), media.LARGEST[kind])
    for wrong in (media.LocalFile("a", b"x" * (most + 1), "x/y"), media.LocalFile("a", b"x" * 5, "x/y")):
        with pytest.raises(RequestInvalid):
            media.check_size(media.UPLOAD, wrong, media.LARGEST[kind])
    with pytest.raises(RequestInvalid):
        media.check_size(media.UPLOAD, media.LocalFile("", b"x" * 6, "x/y"), media.LARGEST[kind])


def test_channel_and_scene_are_measured_before_they_are_encoded() -> None:
    assert acquisition.link_for_channel("https://x.example/l", "厅堂") == (
        "https://x.example/l?customer_channel=%E5%8E%85%E5%A0%82"
    )
    assert acquisition.link_for_channel("https://x.example/l?a=1", "b").endswith("?a=1&customer_channel=b")
    assert acquisition.scheme_of("https://x.example/l?a=1") == (
        "weixin://biz/ww/profile/https%3A%2F%2Fx.example%2Fl%3Fa%3D1"
    )
    assert kf.link_for_scene("https://x.example/kf?x=1", "a&b") == "https://x.example/kf?x=1&scene_param=a%26b"
    with pytest.raises(RequestInvalid):
        acquisition.link_for_channel("https://x.example/l", bytes_of(65))
    with pytest.raises(RequestInvalid):
        kf.link_for_scene("https://x.example/kf?x=1", bytes_of(129))


def test_login_address_carries_state_and_scope() -> None:
    url = login.authorize_url("ww1", "https://bank.example/in?a=1", "s1", scope=login.Scope.PRIVATE, agent_id=7)
    assert url == (
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=ww1"
        "&redirect_uri=https%3A%2F%2Fbank.example%2Fin%3Fa%3D1&response_type=code&scope=snsapi_privateinfo"
        "&state=s1&agentid=7#wechat_redirect"
    )
    for state in ("", "a-b", "s" * 129):
        with pytest.raises(RequestInvalid):
            login.authorize_url("ww1", "https://bank.example", state)
    with pytest.raises(RequestInvalid):
        login.authorize_url("ww1", "https://bank.example", "s1", scope=login.Scope.PRIVATE)
