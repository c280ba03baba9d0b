"""What can be attached to a welcome, a broadcast or a group's welcome template (05-customer-contact.md, 5.4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias

from bot.wecom.answers import Answer
from bot.wecom.api.wire import Bytes, Name

MAX_ATTACHMENTS = 9


@dataclass(frozen=True, slots=True)
class ImageAttachment:
    """A picture: uploaded (`media_id`), or from `media/uploadimg` (`url`). One of the two."""

    kind: ClassVar[str] = "image"

    media_id: str | None = None
    url: Annotated[str | None, Name("pic_url")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.media_id and not self.url:
            yield "media_id", "and pic_url are both missing"


@dataclass(frozen=True, slots=True)
class LinkAttachment:
    """A web page with a picture and a few words."""

    kind: ClassVar[str] = "link"

    title: Annotated[str, Bytes(128, least=1)]
    url: Annotated[str, Bytes(2048, least=1)]
    description: Annotated[str | None, Name("desc"), Bytes(512)] = None
    picture_url: Annotated[str | None, Name("picurl")] = None


@dataclass(frozen=True, slots=True)
class MiniProgramAttachment:
    """A page of a mini program that is bound to the corp."""

    kind: ClassVar[str] = "miniprogram"

    title: Annotated[str, Bytes(64, least=1)]
    picture_media_id: Annotated[str, Name("pic_media_id")]
    app_id: Annotated[str, Name("appid")]
    page: str


@dataclass(frozen=True, slots=True)
class VideoAttachment:
    """An uploaded video."""

    kind: ClassVar[str] = "video"

    media_id: str


@dataclass(frozen=True, slots=True)
class FileAttachment:
    """An uploaded file."""

    kind: ClassVar[str] = "file"

    media_id: str


Attachment: TypeAlias = ImageAttachment | LinkAttachment | MiniProgramAttachment | VideoAttachment | FileAttachment


def find_attachment(answer: Answer) -> Attachment | None:
    """Read the attachment an answer holds under its kind (`image`, `link` …); `None` when it has no kind we know."""
    if (image := answer.find_child("image")) is not None:
        return ImageAttachment(image.text("media_id", "") or None, image.text("pic_url", "") or None)
    if (link := answer.find_child("link")) is not None:
        picture = link.text("picurl", "") or None
        return LinkAttachment(link.text("title"), link.text("url"), link.text("desc", "") or None, picture)
    if (mini := answer.find_child("miniprogram")) is not None:
        picture = mini.text("pic_media_id", "")
        return MiniProgramAttachment(mini.text("title"), picture, mini.text("appid"), mini.text("page"))
    if (video := answer.find_child("video")) is not None:
        return VideoAttachment(video.text("media_id"))
    if (file := answer.find_child("file")) is not None:
        return FileAttachment(file.text("media_id"))
    return None
