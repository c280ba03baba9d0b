"""The five template cards (04-sending.md, 4.3).

Lengths the dossier calls advice (titles, descriptions) are not refused: the client cuts them off when it shows them.
The keys of `image_text_area` and `button_selection` are [K]: the dossier names the two without their parts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar, TypeAlias

from bot.wecom.api.wire import FILLED, FLAG, Between, Bytes, Items, Name, Shape
from bot.wecom.limits import CARD_BUTTONS, CARD_FACTS, CARD_KEY_BYTES, CARD_TASK_BYTES, CARD_URL_BYTES

TaskId: TypeAlias = Annotated[
    str | None, Bytes(CARD_TASK_BYTES, least=1), Shape(re.compile(r"[0-9A-Za-z_\-@]+"), "made of 0-9 A-Z a-z _ - @")
]
Key: TypeAlias = Annotated[str, Bytes(CARD_KEY_BYTES, least=1)]


@dataclass(frozen=True, slots=True)
class Source:
    """Who speaks, above the card. `colour` 0 grey, 1 black, 2 red, 3 green."""

    icon_url: str
    description: Annotated[str | None, Name("desc")] = None
    colour: Annotated[int | None, Name("desc_color"), Between(0, 3)] = None


@dataclass(frozen=True, slots=True)
class MenuAction:
    """An entry of the menu in the card's corner; `key` comes back as an event."""

    text: str
    key: Key


@dataclass(frozen=True, slots=True)
class ActionMenu:
    """The menu in the card's corner; the card then needs a task id."""

    actions: Annotated[tuple[MenuAction, ...], Name("action_list"), Items(3, least=1)]
    description: Annotated[str | None, Name("desc")] = None


@dataclass(frozen=True, slots=True)
class Title:
    """A heading and a line below it. Advice: 36 and 44 characters."""

    title: str
    description: Annotated[str | None, Name("desc")] = None


class TargetKind(IntEnum):
    """What a tap opens."""

    NOTHING = 0
    URL = 1
    MINI_PROGRAM = 2


@dataclass(frozen=True, slots=True)
class Target:
    """What a tap on the card, or on its quotation, opens."""

    kind: Annotated[TargetKind, Name("type")] = TargetKind.URL
    url: Annotated[str | None, Bytes(CARD_URL_BYTES)] = None
    app_id: Annotated[str | None, Name("appid")] = None
    page: Annotated[str | None, Name("pagepath")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if self.kind is TargetKind.URL and not self.url:
            yield "url", "is missing"
        if self.kind is TargetKind.MINI_PROGRAM and not self.app_id:
            yield "appid", "is missing"


@dataclass(frozen=True, slots=True)
class Quotation(Target):
    """Words quoted in a grey box."""

    kind: Annotated[TargetKind, Name("type")] = TargetKind.NOTHING
    title: str | None = None
    text: Annotated[str | None, Name("quote_text")] = None


@dataclass(frozen=True, slots=True)
class Jump(Target):
    """A line at the foot of the card that opens something."""

    title: Annotated[str, FILLED] = ""


class FactKind(IntEnum):
    """What a tap on a line's value opens."""

    URL = 1
    ATTACHMENT = 2
    MEMBER = 3


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of name and value; with a `kind` its value is a link."""

    name: Annotated[str, Name("keyname")]
    value: str
    kind: Annotated[FactKind | None, Name("type")] = None
    url: str | None = None
    media_id: str | None = None
    staff_id: Annotated[str | None, Name("userid")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        needed = {
            FactKind.URL: ("url", self.url),
            FactKind.ATTACHMENT: ("media_id", self.media_id),
            FactKind.MEMBER: ("userid", self.staff_id),
        }
        if self.kind is not None and not needed[self.kind][1]:
            yield needed[self.kind][0], "is missing"


@dataclass(frozen=True, slots=True)
class Emphasis:
    """A large figure and what it is."""

    title: str
    description: Annotated[str | None, Name("desc")] = None


@dataclass(frozen=True, slots=True)
class CardImage:
    """The picture of a news card; `aspect_ratio` is width by height."""

    url: str
    aspect_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class ImageText(Target):
    """A small picture beside words, in place of the large picture."""

    kind: Annotated[TargetKind, Name("type")] = TargetKind.NOTHING
    image_url: Annotated[str, FILLED] = ""
    title: str | None = None
    description: Annotated[str | None, Name("desc")] = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A heading and words in the body of a news card."""

    title: str
    description: Annotated[str | None, Name("desc")] = None


@dataclass(frozen=True, slots=True)
class CardButton:
    """A button: `key` comes back as an event, or `url` is opened. `style` 1 to 4."""

    text: str
    key: Annotated[str | None, Bytes(CARD_KEY_BYTES, least=1)] = None
    url: str | None = None
    style: Annotated[int | None, Between(1, 4)] = None
    kind: Annotated[int | None, Name("type"), Between(0, 1)] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if (self.kind == 1) != bool(self.url):
            yield "url", "goes with type 1, and type 1 with a url"
        if self.kind != 1 and not self.key:
            yield "key", "is missing"


@dataclass(frozen=True, slots=True)
class SubmitButton:
    """The button that sends a vote or a selection."""

    text: str
    key: Key


@dataclass(frozen=True, slots=True)
class VoteOption:
    """One line of a vote."""

    id: Annotated[str, Bytes(128, least=1)]
    text: str
    checked: Annotated[bool, Name("is_checked")] = False


@dataclass(frozen=True, slots=True)
class Checkbox:
    """A vote: one answer, or several."""

    question_key: Key
    options: Annotated[tuple[VoteOption, ...], Name("option_list"), Items(20, least=1)]
    several: Annotated[bool, Name("mode"), FLAG] = False
    disabled: Annotated[bool | None, Name("disable")] = None


@dataclass(frozen=True, slots=True)
class SelectOption:
    """One line of a selection."""

    id: Annotated[str, Bytes(128, least=1)]
    text: str


@dataclass(frozen=True, slots=True)
class Select:
    """A list to choose one line from."""

    question_key: Key
    title: str
    options: Annotated[tuple[SelectOption, ...], Name("option_list"), Items(10, least=1)]
    selected_id: str | None = None
    disabled: Annotated[bool | None, Name("disable")] = None


@dataclass(frozen=True, slots=True)
class ButtonSelect:
    """A list to choose one line from, on a card of buttons."""

    question_key: Key
    options: Annotated[tuple[SelectOption, ...], Name("option_list"), Items(10, least=1)]
    title: str | None = None
    selected_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    """What all cards may have."""

    kind: ClassVar[str] = "template_card"
    needs_task_id: ClassVar[bool] = False
    needs_target: ClassVar[bool] = False
    needs_title: ClassVar[bool] = True

    source: Source | None = None
    menu: Annotated[ActionMenu | None, Name("action_menu")] = None
    title: Annotated[Title | None, Name("main_title")] = None
    target: Annotated[Target | None, Name("card_action")] = None
    task_id: TaskId = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if self.task_id is None and (self.needs_task_id or self.menu is not None):
            yield "task_id", "is missing"
        if self.needs_target and self.target is None:
            yield "card_action", "is missing"
        if self.needs_title and self.title is None:
            yield "main_title", "is missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class _FactsCard(_Card):
    text: Annotated[str | None, Name("sub_title_text")] = None
    quotation: Annotated[Quotation | None, Name("quote_area")] = None
    facts: Annotated[tuple[Fact, ...], Name("horizontal_content_list"), Items(CARD_FACTS)] = ()
    jumps: Annotated[tuple[Jump, ...], Name("jump_list"), Items(3)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextNotice(_FactsCard):
    """A notice in words."""

    wire_constants: ClassVar[dict[str, str]] = {"card_type": "text_notice"}
    needs_target: ClassVar[bool] = True
    needs_title: ClassVar[bool] = False

    emphasis: Annotated[Emphasis | None, Name("emphasis_content")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        yield from _Card.list_problems(self)
        if self.title is None and not self.text:
            yield "main_title", "and sub_title_text are both missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsNotice(_FactsCard):
    """A notice with a picture: a large one, or a small one beside words."""

    wire_constants: ClassVar[dict[str, str]] = {"card_type": "news_notice"}
    needs_target: ClassVar[bool] = True

    image: Annotated[CardImage | None, Name("card_image")] = None
    image_text: Annotated[ImageText | None, Name("image_text_area")] = None
    paragraphs: Annotated[tuple[Paragraph, ...], Name("vertical_content_list"), Items(4)] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        yield from _Card.list_problems(self)
        if self.image is None and self.image_text is None:
            yield "card_image", "and image_text_area are both missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonCard(_FactsCard):
    """Words and buttons: the answer is which one was pressed."""

    wire_constants: ClassVar[dict[str, str]] = {"card_type": "button_interaction"}
    needs_task_id: ClassVar[bool] = True

    select: Annotated[ButtonSelect | None, Name("button_selection")] = None
    buttons: Annotated[tuple[CardButton, ...], Name("button_list"), Items(CARD_BUTTONS, least=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCard(_Card):
    """A vote."""

    wire_constants: ClassVar[dict[str, str]] = {"card_type": "vote_interaction"}
    needs_task_id: ClassVar[bool] = True
    needs_title: ClassVar[bool] = False

    checkbox: Checkbox
    submit: Annotated[SubmitButton, Name("submit_button")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectCard(_Card):
    """Up to three lists to choose from."""

    wire_constants: ClassVar[dict[str, str]] = {"card_type": "multiple_interaction"}
    needs_task_id: ClassVar[bool] = True
    needs_title: ClassVar[bool] = False

    selects: Annotated[tuple[Select, ...], Name("select_list"), Items(3, least=1)]
    submit: Annotated[SubmitButton, Name("submit_button")]


TemplateCard: TypeAlias = TextNotice | NewsNotice | ButtonCard | VoteCard | SelectCard
