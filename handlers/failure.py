"""The honest line a person gets instead of silence: when an event failed for good, or its reply was blocked."""

from collections.abc import Mapping, Sequence

from bot.context import BotChat, CardUpdate, KfChat, Markdown, Reply, StaffChat, Text
from bot.events import BotCardClicked, BotMedia, BotMention, CardButtonClicked, Event, KfText, StaffMessage
from bot.outbox.models import OutboxRow
from bot.texts import Texts, load_texts
from handlers.settings import HandlersSettings


def apology_for(
    event: Event, blocked: OutboxRow | None = None, settings: HandlersSettings | None = None
) -> Sequence[Reply]:
    """Return what to say to the person behind `event`; nothing when nobody waits for an answer.

    Args:
        event: what could not be answered.
        blocked: the reply the gate held back; `None` when the event itself failed for good. A member is told which
            words it was, a customer only that a person follows up.
        settings: language, hotline; defaults as shipped.
    """
    settings = settings or HandlersSettings()
    texts = load_texts("handlers", settings.language)
    if blocked is not None and blocked.address_kind == CardUpdate.__name__:
        return ()  # the card stays as it was; the answer to the press is a reply of its own
    match event:
        case StaffMessage() | CardButtonClicked():
            return [_to_staff(event, blocked, texts)]
        case KfText():
            return [
                Reply(
                    KfChat(event.open_kfid, event.customer_id), Text(_to_customer(blocked, settings, texts)), "apology"
                )
            ]
        case BotMention() | BotMedia() | BotCardClicked() if blocked is None or blocked.address_kind == "BotChat":
            chat = BotChat(event.chat_id, event.speaker, event.response_url, event.msg_id)
            return [Reply(chat, Markdown(_to_customer(blocked, settings, texts)), "apology")]
        case _:
            return ()


def _to_staff(event: StaffMessage | CardButtonClicked, blocked: OutboxRow | None, texts: Texts) -> Reply:
    if blocked is None:
        return Reply(StaffChat(event.staff_id), Text(texts["apology.staff"]), "apology")
    terms = "、".join(dict.fromkeys(_term(finding) for finding in blocked.findings))
    body = texts.render("apology.blocked_staff", terms=terms or blocked.error or "")
    return Reply(StaffChat(event.staff_id), Text(body), "blocked_notice", {"blocked": blocked.id})


def _to_customer(blocked: OutboxRow | None, settings: HandlersSettings, texts: Texts) -> str:
    key = "apology.customer" if blocked is None else "apology.blocked_customer"
    return texts.render(key, hotline=settings.hotline)


def _term(finding: Mapping[str, object]) -> str:
    return f"「{finding.get('term', '')}」"
