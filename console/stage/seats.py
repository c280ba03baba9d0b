"""Who one plays on the simulator page, and what there is to try from that seat. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from console.i18n import N_


class SeatKind(StrEnum):
    """The five people one can be."""

    RM = "rm"
    KF = "kf"
    GROUP = "group"
    SINGLE = "single"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Seat:
    """A person in a place. Which of the ids are set depends on the kind; see `is_complete`."""

    kind: SeatKind
    staff_id: str = ""
    customer_id: str = ""
    chat_id: str = ""

    @property
    def is_complete(self) -> bool:
        """Tell whether all that this kind of seat needs is chosen."""
        needed = {
            SeatKind.RM: (self.staff_id,),
            SeatKind.OWNER: (self.staff_id,),
            SeatKind.KF: (self.customer_id,),
            SeatKind.GROUP: (self.chat_id, self.customer_id),
            SeatKind.SINGLE: (self.staff_id, self.customer_id),
        }
        return all(needed[self.kind])

    def conversation(self) -> tuple[str, str]:
        """Return the kind and key of the chat that the control API knows this seat's phone by."""
        match self.kind:
            case SeatKind.RM | SeatKind.OWNER:
                return "app", self.staff_id
            case SeatKind.KF:
                return "kf", self.customer_id
            case SeatKind.GROUP:
                return "group", self.chat_id
            case SeatKind.SINGLE:
                return "single", f"{self.staff_id}|{self.customer_id}"

    @property
    def plays(self) -> str:
        """Return the id of the person whose words are "mine" on the phone."""
        return self.staff_id if self.kind in {SeatKind.RM, SeatKind.OWNER} else self.customer_id

    def query(self, **more: str) -> str:
        """Return the query string that names this seat."""
        fields = {
            "as": self.kind.value,
            "staff": self.staff_id,
            "customer": self.customer_id,
            "chat": self.chat_id,
            **more,
        }
        return urlencode({name: value for name, value in fields.items() if value})

    def url(self, **more: str) -> str:
        """Return the page's address for this seat."""
        return f"/simulator?{self.query(**more)}"


@dataclass(frozen=True, slots=True)
class SeatWords:
    """How a kind of seat is called, and what one does there."""

    title: str
    purpose: str


SEAT_WORDS: Mapping[SeatKind, SeatWords] = {
    SeatKind.RM: SeatWords(N_("客户经理"), N_("在企业微信里和助手说话")),
    SeatKind.OWNER: SeatWords(N_("群主"), N_("确认要发到自己群里的群发")),
    SeatKind.GROUP: SeatWords(N_("客户群里的客户"), N_("在群里提问题")),
    SeatKind.KF: SeatWords(N_("微信客服里的客户"), N_("直接问银行")),
    SeatKind.SINGLE: SeatWords(N_("单聊里的客户"), N_("和客户经理一对一聊")),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to say from a seat. `text` is what a person would type, in Chinese as the bank's people do."""

    text: str
    mention_bot: bool = False


SUGGESTIONS: Mapping[SeatKind, tuple[Suggestion, ...]] = {
    SeatKind.RM: (
        Suggestion("你好，你能做什么？"),
        Suggestion("大额存单多少钱起存"),
        Suggestion("帮我看看这段话能不能发：这款理财保本保息，年化8%，您放心买"),
        Suggestion("今天有什么待办"),
        Suggestion("查一下王芳"),
        Suggestion("客户担心理财亏损怎么回复"),
        Suggestion("一分钟后给我的客户群发老人防骗提醒"),
    ),
    SeatKind.KF: (
        Suggestion("零存整取怎么存？"),
        Suggestion("我的银行卡丢了怎么办"),
        Suggestion("跨行转账要手续费吗"),
        Suggestion("我要投诉，你们柜员态度太差"),
        Suggestion("有人让我把钱转到安全账户，是真的吗"),
        Suggestion("我要转人工"),
    ),
    SeatKind.GROUP: (
        Suggestion("请问大额存单多少钱起存？"),
        Suggestion("理财产品可以提前赎回吗"),
        Suggestion("手机银行转账限额是多少", mention_bot=True),
        Suggestion("银行卡丢了先做什么"),
    ),
    SeatKind.SINGLE: (
        Suggestion("李经理，定期快到期了，怎么续存？"),
        Suggestion("信用卡年费怎么免？"),
        Suggestion("最近有什么稳健一点的产品吗"),
    ),
    SeatKind.OWNER: (),
}


@dataclass(frozen=True, slots=True)
class Try:
    """One entry of the guided list: from which seat, what to say, and what to watch."""

    number: int
    kind: SeatKind
    text: str
    title: str
    watch: str


TRIES: tuple[Try, ...] = (
    Try(1, SeatKind.RM, "大额存单多少钱起存", N_("查一句标准话术"), N_("看它引用哪条话术、第几版")),
    Try(
        2,
        SeatKind.RM,
        "帮我看看这段话能不能发：这款理财保本保息，年化8%，您放心买",
        N_("检查一段想发的话"),
        N_("看它指出哪些词不合规、该怎么说"),
    ),
    Try(3, SeatKind.RM, "查一下王芳", N_("看一位客户的资料"), N_("看风险等级、标签、上次联系")),
    Try(4, SeatKind.KF, "我的银行卡丢了怎么办", N_("作为客户问银行"), N_("看客户得到已审批的回答")),
    Try(5, SeatKind.GROUP, "请问大额存单多少钱起存？", N_("在客户群里提问"), N_("30 秒内群主收到可一键发送的回复")),
    Try(6, SeatKind.RM, "一分钟后给我的客户群发老人防骗提醒", N_("安排一次群发"), N_("先请您确认，一分钟后到点")),
    Try(7, SeatKind.OWNER, "", N_("作为群主确认群发"), N_("确认后看每个群的送达结果")),
)


def seat_kind(value: str | None) -> SeatKind:
    """Return the kind a query names; anything else is the relationship manager."""
    return SeatKind(value) if value in set(SeatKind) else SeatKind.RM
