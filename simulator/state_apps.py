"""Rows of what apps make besides messages: their groups, robots, directory tags, uploads, logins and tickets."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class AppChat:
    """A group made by the app (appchat); `shown` says whether its first message has made it visible."""

    chatid: str
    name: str
    owner: str
    userlist: list[str]
    created_at: int
    shown: bool = False


@dataclass(slots=True)
class Robot:
    """A group webhook (消息推送); `allowed` is whether the group admits it, `removed` whether someone took it out."""

    key: str
    chat_id: str
    name: str
    allowed: bool = True
    removed: bool = False


@dataclass(slots=True)
class DirectoryTag:
    """A directory tag (通讯录标签) of members and departments."""

    tagid: int
    tagname: str
    users: list[str] = field(default_factory=list)
    parties: list[int] = field(default_factory=list)
    by_app: bool = True


@dataclass(slots=True)
class UploadJob:
    """An asynchronous upload by url; status 1 running, 2 done, 3 failed."""

    jobid: str
    type: str
    filename: str
    created_at: float
    status: int = 1
    errcode: int = 0
    media_id: str = ""


@dataclass(slots=True)
class LoginCode:
    """A code of the OAuth redirect: one use within 5 minutes; `private` when snsapi_privateinfo was asked for."""

    code: str
    person: str
    private: bool
    expires_at: float
    used: bool = False


@dataclass(slots=True)
class UserTicket:
    """A user_ticket: 1800 s."""

    ticket: str
    userid: str
    expires_at: float


@dataclass(slots=True)
class JsTicket:
    """A JS-SDK ticket; `kind` is "corp" or "agent_config"."""

    kind: str
    ticket: str
    expires_at: float


@dataclass(slots=True)
class UploadedImage:
    """A permanent image of uploadimg, base64."""

    image_id: str
    content_type: str
    content: str
