"""「王芳的资料」: the card of a manager's own customer, found by name."""

import re
from collections.abc import Sequence

from bot.clock import CHINA
from bot.context import Button, Card, Reply, StaffChat, Text
from bot.errors import NotFound
from bot.events import CardButtonClicked, StaffTextMessage
from bot.ids import CustomerId, StaffId, new_id
from bot.router import Router
from bot.texts import load_texts
from customers import CustomerCard, find_customers_by_name, get_customer_card, render_facts, render_title
from handlers.cards import close_card
from handlers.context import DeskContext
from handlers.filters import pressed, staff_wants
from handlers.intent_labels import Intent
from handlers.slots import SlotType, find_slots, first_slot

router: Router[DeskContext] = Router("customer_cards")

_CHOICES = 6  # the most buttons a card takes
_CARD_FACTS = 6  # the most lines of name and value a card takes (04-sending.md, 4.3)
_LONG_VALUE = 20  # longer values are cut off in such a line, so they go into the description
_ASKING_WORDS = re.compile(
    r"@\S+\s|请|帮我|帮忙|麻烦|给我|我想|看一?下|看看|查一?下|查查|查询|查|看|找一?下|找|搜索?|打开|调出|调一下|显示|了解一?下|了解|一下|"
    r"客户经理是谁|客户卡片|客户资料|客户信息|客户页|客户|资料|信息|画像|档案|详情|卡片|基本情况|情况|背景|的|是谁|怎么样|什么样|"
    r"风险等级|风险评级|等级|标签|联系方式|[？?！!。，,\s]"
)


def name_asked(text: str) -> str | None:
    """Return the name a manager asks about: one that looks like a name, or what the asking words leave over."""
    named = first_slot(find_slots(text), SlotType.CUSTOMER)
    if named:
        return named
    rest = _ASKING_WORDS.sub("", text)
    return rest if 1 <= len(rest) <= 12 else None


@router.on(StaffTextMessage, staff_wants(Intent.CUSTOMER_PROFILE))
async def show_customer(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Show the card, ask which one when several fit, and refuse honestly what is not the manager's own."""
    name = name_asked(event.text)
    if name is None:
        return [_words(event.staff_id, ctx.texts["customer.ask"])]
    found = await find_customers_by_name(ctx.tx, event.staff_id, name)
    ctx.trace.note("customers", found=len(found))
    if not found:
        return [_words(event.staff_id, ctx.texts.render("customer.none", name=name))]
    if len(found) == 1:
        return [_card(event.staff_id, found[0], ctx)]
    return [_choices(event.staff_id, found, ctx)]


@router.on(CardButtonClicked, pressed("customer"))
async def show_chosen_customer(event: CardButtonClicked, ctx: DeskContext) -> Sequence[Reply]:
    """Show the customer whose button was pressed, if still the manager's own."""
    try:
        customer = await get_customer_card(ctx.tx, event.staff_id, CustomerId(event.key.split(":", 1)[1]))
    except NotFound:
        return [_words(event.staff_id, ctx.texts["customer.not_yours"]), *close_card(event, ctx, "gone")]
    return [_card(event.staff_id, customer, ctx), *close_card(event, ctx, "chosen")]


def _card(staff_id: StaffId, customer: CustomerCard, ctx: DeskContext) -> Reply:
    words = load_texts("customers", ctx.settings.language)
    facts = render_facts(customer, words, CHINA)
    short = [fact for fact in facts if len(fact[1]) <= _LONG_VALUE][:_CARD_FACTS]
    rest = [f"{name}：{value}" for name, value in facts if (name, value) not in short]
    card = Card(
        title=render_title(customer, words),
        description="\n".join(rest),
        facts=tuple(short),
        url=f"{ctx.settings.public_url}/",
        url_text=ctx.texts["customer.open"],
    )
    return Reply(StaffChat(staff_id), card, "customer_card", {"customer": customer.customer_id})


def _choices(staff_id: StaffId, found: Sequence[CustomerCard], ctx: DeskContext) -> Reply:
    shown = found[:_CHOICES]
    lines = [_choice_line(number, customer, ctx) for number, customer in enumerate(shown, start=1)]
    if len(found) > _CHOICES:
        lines.append(ctx.texts.render("customer.too_many", count=_CHOICES))
    card = Card(
        title=ctx.texts.render("customer.choose_title", count=len(found)),
        description="\n".join(lines),
        buttons=tuple(
            Button(f"{number}. {customer.name}"[:12], f"customer:{customer.customer_id}")
            for number, customer in enumerate(shown, start=1)
        ),
        task_id=new_id("who"),
    )
    return Reply(StaffChat(staff_id), card, "customer_choices")


def _choice_line(number: int, customer: CustomerCard, ctx: DeskContext) -> str:
    if not customer.remark or customer.remark == customer.name:
        return ctx.texts.render("customer.choose_line", number=number, name=customer.name)
    return ctx.texts.render("customer.choose_remark", number=number, name=customer.name, remark=customer.remark)


def _words(staff_id: StaffId, body: str) -> Reply:
    return Reply(StaffChat(staff_id), Text(body), "customer_card")
