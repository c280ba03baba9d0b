"""The questions our routes ask. Each is a plain yes or no about one event; none touches the database."""

from bot.events import BotMention, CardButtonClicked, CustomerChatText, KfText, StaffTextMessage
from bot.router import Filter
from handlers.context import DeskContext
from handlers.dialogue import QuestionKind
from handlers.intent_labels import Intent


def staff_wants(*intents: Intent) -> Filter[StaffTextMessage, DeskContext]:
    """Ask whether the member's words mean one of `intents`."""

    def question(event: StaffTextMessage, ctx: DeskContext) -> bool:
        return ctx.intends(event.text, "rm", *intents)

    return question


def kf_wants(*intents: Intent) -> Filter[KfText, DeskContext]:
    """Ask whether the customer's words in 微信客服 mean one of `intents`."""

    def question(event: KfText, ctx: DeskContext) -> bool:
        return ctx.customer_intends(event.text, *intents)

    return question


def chat_wants(*intents: Intent) -> Filter[CustomerChatText, DeskContext]:
    """Ask whether a customer's words in a chat mean one of `intents`."""

    def question(event: CustomerChatText, ctx: DeskContext) -> bool:
        return ctx.customer_intends(event.text, *intents)

    return question


def mention_wants(*intents: Intent) -> Filter[BotMention, DeskContext]:
    """Ask whether words to the AI bot mean one of `intents`."""

    def question(event: BotMention, ctx: DeskContext) -> bool:
        return ctx.customer_intends(event.text, *intents)

    return question


def pressed(prefix: str) -> Filter[CardButtonClicked, DeskContext]:
    """Ask whether the pressed button's key begins with `prefix:`."""

    def question(event: CardButtonClicked, ctx: DeskContext) -> bool:
        return event.key.startswith(f"{prefix}:")

    return question


def staff_answers(*kinds: QuestionKind) -> Filter[StaffTextMessage, DeskContext]:
    """Ask whether a question of one of these kinds is open with the member."""

    def question(event: StaffTextMessage, ctx: DeskContext) -> bool:
        return ctx.pending is not None and ctx.pending.kind in kinds

    return question


def kf_answers(*kinds: QuestionKind) -> Filter[KfText, DeskContext]:
    """Ask whether a question of one of these kinds is open with the customer."""

    def question(event: KfText, ctx: DeskContext) -> bool:
        return ctx.pending is not None and ctx.pending.kind in kinds

    return question
