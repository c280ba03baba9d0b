"""The first words to a new customer, and the welcome templates of groups (05-customer-contact.md, 5.4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from bot.wecom.answers import Answer
from bot.wecom.api.attachments import MAX_ATTACHMENTS, Attachment, find_attachment
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.api.wire import FILLED, FLAG, Bytes, Items, Name, Tagged, to_body
from bot.wecom.limits import WELCOME_TEXT

SEND = "POST /cgi-bin/externalcontact/send_welcome_msg"
TEMPLATE_ADD = "POST /cgi-bin/externalcontact/group_welcome_template/add"
TEMPLATE_EDIT = "POST /cgi-bin/externalcontact/group_welcome_template/edit"
TEMPLATE_GET = "POST /cgi-bin/externalcontact/group_welcome_template/get"
TEMPLATE_DELETE = "POST /cgi-bin/externalcontact/group_welcome_template/del"

CODE_LIVES = timedelta(seconds=20)
MAX_TEMPLATES = 100
# Where the joining customer's name goes in a group's template.
NICKNAME = "%NICKNAME%"


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomeMessage:
    """The answer to a WelcomeCode, which lives 20 seconds and works once."""

    code: Annotated[str, Name("welcome_code"), FILLED]
    text: Annotated[str | None, Name("text.content"), Bytes(WELCOME_TEXT.size_bytes, least=1)] = None
    attachments: Annotated[tuple[Attachment, ...], Tagged(), Items(MAX_ATTACHMENTS)] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.text and not self.attachments:
            yield "text", "and attachments are both missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class _TemplateParts:
    text: Annotated[str | None, Name("text.content"), Bytes(3000, least=1)] = None
    attachment: Annotated[Attachment | None, Tagged(key=None)] = None
    agent_id: Annotated[int | None, Name("agentid")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.text and self.attachment is None:
            yield "text", "and an attachment are both missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroupWelcome(_TemplateParts):
    """A template to be made; `notify` tells the group owners. An owner chooses it in the client, the API cannot."""

    notify: Annotated[bool | None, FLAG] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWelcomeEdit(_TemplateParts):
    """A template as it is to be."""

    template_id: Annotated[str, FILLED]


@dataclass(frozen=True, slots=True)
class GroupWelcome:
    """A template as the platform keeps it."""

    text: str
    attachment: Attachment | None


async def send_welcome_message(client: PlatformCalls, message: WelcomeMessage) -> None:
    """Greet a new customer.

    Raises:
        RequestInvalid: a documented limit is broken.
        PlatformError: 41050 the code is dead, 41096 another app is greeting; 41051, already greeted, is success.
    """
    await client.call(SEND, to_body(SEND, message))


async def add_group_welcome(client: PlatformCalls, template: NewGroupWelcome) -> str:
    """Make a template and return its id; 100 exist at most in a corp."""
    return Answer(TEMPLATE_ADD, await client.call(TEMPLATE_ADD, to_body(TEMPLATE_ADD, template))).text("template_id")


async def edit_group_welcome(client: PlatformCalls, edit: GroupWelcomeEdit) -> None:
    """Replace a template's words and attachment."""
    await client.call(TEMPLATE_EDIT, to_body(TEMPLATE_EDIT, edit))


async def get_group_welcome(client: PlatformCalls, template_id: str) -> GroupWelcome:
    """Return a template."""
    answer = Answer(TEMPLATE_GET, await client.call(TEMPLATE_GET, {"template_id": template_id}))
    text = answer.find_child("text")
    return GroupWelcome(text.text("content", "") if text else "", find_attachment(answer))


async def delete_group_welcome(client: PlatformCalls, template_id: str, agent_id: int | None = None) -> None:
    """Delete a template; groups that use it greet nobody any more."""
    body: dict[str, str | int] = {"template_id": template_id}
    if agent_id is not None:
        body["agentid"] = agent_id
    await client.call(TEMPLATE_DELETE, body)
