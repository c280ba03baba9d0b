"""The parts of a message that fill blanks: who, which product, when, how much.

Pure and deliberately approximate: it finds what the words show (a surname with a given name or a title, a dated
product name, a card's last digits) and knows no customer or product list. Handlers look the found words up in the
domain packages, which decide whether such a customer exists and may be seen.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from handlers.amounts import find_amounts
from handlers.numerals import NUMERAL, fold_width
from handlers.times import TimeKind, find_times


class SlotType(StrEnum):
    """The kinds of blanks, named as in the labelled data."""

    CUSTOMER = "customer"
    PRODUCT = "product"
    DATETIME = "datetime"
    DATE = "date"
    AMOUNT = "amount"
    TAG = "tag"
    TERM = "term"
    GROUP = "group"
    STAFF = "staff"
    BRANCH = "branch"
    PHONE = "phone"
    CARD = "card"
    CODE = "code"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Slot:
    """A filled blank; `start` and `end` are offsets in the message as it was written."""

    type: SlotType
    start: int
    end: int
    text: str


_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施洪季阎柳"
)
_DOUBLE_SURNAMES = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯"
_TITLE = re.compile(
    "女士|先生|小姐|阿姨|大姐|大哥|大爷|大妈|奶奶|爷爷|叔叔|老师|医生|老板|教授|同学|夫人|太太|师傅|总|姐|哥|叔|姨|董|工|婶|伯|嫂"
)
_STAFF_TITLE = re.compile("客户经理|理财经理|经理|行长|主任|主管")
# Characters that end a name: particles, verbs and bank words that follow a name in a request.
_NOT_GIVEN = set(
    "的了在是有加打把给和跟与调上下转到名等这那说要想不没还就也都只呢吗吧啊呀哦嘛，。、：；！？ ,.:;!? 我你他她它们个位"
    "今昨前后现最为什么多少几持买卖存取理基账卡电手联沟跟备贴标设归去来做问喜刚已准约拜面见签交移分接谁哪怎可能会从由于被让请"
    "资持产保商贷借款项信客户风评群发月年日号点元万千百通意同公AUM0123456789身近该拿升推列改换清删撤取消录登记办刷嫌觉考老女生那儿"
)
_NOT_NAMES = (
    "高净|高端|高意|高风|高收|高低|高级|方案|方便|方式|方面|于是|任务|任何|时间|安排|成交|金额|金融|黄金|石油|万元|万份|万能|余额|"
    "毛利|江山|白天|季度|季末|温馨|康养|武汉|向上|向客|向我|顾客|程序|常用|段话|段时|段文|路线|严重|莫名|施工|何时|何况|田地|付款|"
    "付费|付息|方向|白金|金卡|金价|钱包|钱款|严格|马上|黎明|龙年|马年|江苏|江浙|周一|周二|周三|周四|周五|周六|周日|周末|周报|周期|"
    "周年|周内|周转|夏天|秦岭|毛病|贺卡|贺词|雷暴|史上|汤圆|温度|洪水|健康|余下|余的|钱到|钱还|钱转|钱没|钱呢|钱在|钱要|钱放|钱存|"
    "高吗|高的|高了|高一|高点|高不|林地|于我|于客|向他|向下|成功|何处|金葵|金条|严禁|曾经|许多|许可|胡说|连续|易用|方法|丁点|任意|"
    "石化|陆续|董事|季报|谢谢|谢啦|谢了|谢谢|章程|马桶|毛利|万一|汪汪|钟头|黄牛|白条|白领|单子|高考|林子|高铁|金额|江湖|余款|"
    "于此|方可|万块|万以|万左|万的|付了|付钱|段落|康复|龙头|石头|陶瓷|柳州|和平|向群|任性|成员|孔雀|田园|白酒|白天|龙邀|龙活|于张|于王|于李|谢帮|谢您|谢你|钱进|史业|史收|钱被|钱不|钱放|钱也|钱都|任选|高评|沈阳|向张|向王|向李|金牌|金领|金库|方才|成本|孔方|贺岁|毛收|雷区|易懂|汪|孟|花钱"
)
_NOT_NAME = re.compile(_NOT_NAMES)
_SURNAME = re.compile(rf"(?:{_DOUBLE_SURNAMES})|[{_SURNAMES}]")
_AFFIX_NAME = re.compile(rf"(?:老|小|阿)[{_SURNAMES}](?![\u4e00-\u9fff]{{0,1}}(?:户|款|额|卡))(?![支分])")

_HANDED_TO = re.compile(r"(?:转给|转交给?|交给|移交给|分给|分配给|划给|全部转|转交)$")

_GENERIC_PRODUCTS = (
    "大额存单|结构性存款|通知存款|零存整取|整存整取|定活两便|储蓄国债|电子国债|国债|定期存款|活期存款|美元存款|美元定存|"
    "[一二两三五]年期?(?:定期|定存|美元存款)|定期|定存|活期|固收|净值型理财|理财|年金险|年金|增额寿|终身寿|重疾险|医疗险|教育金保险|教育金|养老金|保险|"
    "货币基金|债券基金|债基|基金定投|基金|定投|黄金积存|积存金|贵金属|黄金|信用卡|房贷|经营贷|消费贷|车贷|装修贷|个人养老金|"
    "贷款|股票|债券|外汇|美元|对公账户|信托|票据|代发"
)
_PRODUCT = re.compile(
    r"[\u4e00-\u9fff]{2,4}?(?:\d{1,3}(?:天|个月|(?<!月\d)(?<!月\d\d)号)|(?:一|二|两|三|五|半)年(?!期|利|多|给|定|存|的|能|前|后|初|底|末))(?!后|前|内|没)"
    rf"|[\u4e00-\u9fff]{{2}}(?:宝|盈)(?!\w?(?:宝|利))|[\u4e00-\u9fff]{{2}}年金(?!险)|QDII[\u4e00-\u9fff]{{0,4}}|[A-Z]\d(?=以上|以下|的|级|产)"
    rf"|{_GENERIC_PRODUCTS}"
)
_PRODUCT_PREFIX = re.compile(
    r"^(?:查下|查一下|查|看看|看一下|看下|看|问下|问问|问|介绍|把|给我|帮我|给|的|我要|我想|想|买了|买|购买|持有|了解|推荐|这款|那款|对比|和|跟|与|比|过去|最近|未来|超过|不到|存|还有|近|第|了|有|在|前|约|每|下个?|上个?|这个?|本)+"
)
_TAG_WORDS = (
    "高净值|高意向|重点客户|贵宾客户|沉默客户|沉默|新客|存量|企业主|代发客户|代发|免打扰|基金亏损|贷款意向|贷款客户|留学需求|留学|关注养老|"
    "养老客群|养老|二胎妈妈|对利率敏感|保守型|稳健型|平衡型|成长型|进取型|退休|VIP|[CR][1-5](?!\\d)"
)
_TAG = re.compile(_TAG_WORDS)
_BRANCH = re.compile(r"[\u4e00-\u9fff]{2,6}?(?:支行|分行|分理处|营业部)")
_BRANCH_PREFIX = re.compile(r"^(?:你们|我们|请问|帮我|约下|约|去|到|在|把|调到|给|问下|离|从|查|迁移到|的|了)+")
_GROUP = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]{2,14}?群(?!发|聊|主|众)")
_GROUP_PREFIX = re.compile(
    r"^.*?(?:看下|看看|群发一下|给|往|到|在|把|对|向|发送到|发到|推送到|推送给|推到)(?=.{2})|^(?:我的|这个|那个|所有|全部|的|了)+"
)
_TERM = re.compile(rf"(?:{NUMERAL}个?半?(?:年|个月|天)期?|半年期?|[一二三四五六七八九十]年期)(?!前|后|内|没|之|以)")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_CARD = re.compile(r"(?:尾号|末四位|后四位|卡号)(?:是|为|：|:)?\s*(\d{4,19})")
_CODE = re.compile(r"(?:验证码|校验码|动态码)(?:是|为|：|:)?\s*(\d{4,8})(?!\d)")
_PAID_FIGURE = re.compile(
    r"(?:转|打|汇|交|缴|还|存|取|买|付|每月|信用卡|金额改成|改成)(?:下|了|个|出)?(?:信用卡)?(\d{3,8})(?![\d天个号月年:人块元万])"
)
_PLACE = re.compile(r"(?:去|到|飞)([\u4e00-\u9fff]{2})(?=的?(?:机票|高铁|火车|车票|酒店|旅游))")


def find_slots(text: str, now: datetime | None = None) -> Sequence[Slot]:
    """List what `text` mentions, from left to right, without overlaps; times only when `now` is given.

    Times come out as DATE; `as_moments` turns them into DATETIME where the intent is to act at that time.
    """
    folded = fold_width(text)
    chosen: list[Slot] = []
    for finder in _FINDERS:
        _add(chosen, finder(folded))
    if now is not None:
        _add(chosen, _times(folded, now))
    _add(chosen, _names(folded))
    _add(chosen, (Slot(SlotType.TERM, m.start(), m.end(), m[0]) for m in _TERM.finditer(folded)))
    return tuple(
        replace(slot, text=text[slot.start : slot.end]) for slot in sorted(chosen, key=lambda slot: slot.start)
    )


def as_moments(slots: Iterable[Slot]) -> Sequence[Slot]:
    """Turn DATE slots into DATETIME: the message asks for something to be done then."""
    return tuple(replace(slot, type=SlotType.DATETIME) if slot.type is SlotType.DATE else slot for slot in slots)


def first_slot(slots: Iterable[Slot], slot_type: SlotType) -> str | None:
    """Return the first words of that kind, or `None`."""
    return next((slot.text for slot in slots if slot.type is slot_type), None)


def _add(chosen: list[Slot], found: Iterable[Slot]) -> None:
    for slot in found:
        if slot.end > slot.start and all(slot.end <= other.start or slot.start >= other.end for other in chosen):
            chosen.append(slot)


def _pattern(slot_type: SlotType, pattern: re.Pattern[str], group: int = 0) -> Callable[[str], Iterable[Slot]]:
    def finder(text: str) -> Iterable[Slot]:
        return (Slot(slot_type, match.start(group), match.end(group), match[group]) for match in pattern.finditer(text))

    return finder


def _trimmed(
    slot_type: SlotType, pattern: re.Pattern[str], prefix: re.Pattern[str], shortest: int
) -> Callable[[str], Iterable[Slot]]:
    """Find by `pattern`, then cut the verbs and particles that stand before the name itself."""

    def finder(text: str) -> Iterable[Slot]:
        for match in pattern.finditer(text):
            cut = prefix.match(match[0])
            start = match.start() + (cut.end() if cut else 0)
            if match.end() - start >= shortest:
                yield Slot(slot_type, start, match.end(), text[start : match.end()])

    return finder


def _amounts(text: str) -> Iterable[Slot]:
    return (Slot(SlotType.AMOUNT, amount.start, amount.end, amount.text) for amount in find_amounts(text))


def _times(text: str, now: datetime) -> Iterable[Slot]:
    for found in find_times(text, now):
        kind = SlotType.DATETIME if found.kind in (TimeKind.AT, TimeKind.RECURRING) else SlotType.DATE
        yield Slot(kind, found.start, found.end, found.text)


def _names(text: str) -> Iterable[Slot]:
    position = 0
    while position < len(text):
        slot = _name_at(text, position)
        if slot is None:
            position += 1
            continue
        yield slot
        position = slot.end


def _name_at(text: str, position: int) -> Slot | None:
    affixed = _AFFIX_NAME.match(text, position)
    if affixed:
        kind = SlotType.STAFF if _HANDED_TO.search(text, 0, position) else SlotType.CUSTOMER
        return Slot(kind, position, affixed.end(), affixed[0])
    surname = _SURNAME.match(text, position)
    if surname is None or _NOT_NAME.match(text, position):
        return None
    staff = _STAFF_TITLE.match(text, surname.end())
    if staff:
        return Slot(SlotType.STAFF, position, staff.end(), text[position : staff.end()])
    title = _TITLE.match(text, surname.end())
    if title:
        return Slot(SlotType.CUSTOMER, position, title.end(), text[position : title.end()])
    end = _given_name_end(text, surname.end())
    if end == surname.end():
        return None
    kind = SlotType.STAFF if _HANDED_TO.search(text, 0, position) else SlotType.CUSTOMER
    return Slot(kind, position, end, text[position:end])


def _given_name_end(text: str, start: int) -> int:
    """Return where a given name of one or two characters ends, or `start` when none begins there."""
    end = start
    while end < min(start + 2, len(text)) and _can_be_given(text[end]):
        end += 1
    return end


def _can_be_given(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" and (char not in _NOT_GIVEN)


_FINDERS: tuple[Callable[[str], Iterable[Slot]], ...] = (
    _pattern(SlotType.PHONE, _PHONE),
    _pattern(SlotType.CARD, _CARD, 1),
    _pattern(SlotType.CODE, _CODE, 1),
    _pattern(SlotType.PLACE, _PLACE, 1),
    _trimmed(SlotType.BRANCH, _BRANCH, _BRANCH_PREFIX, 4),
    _trimmed(SlotType.GROUP, _GROUP, _GROUP_PREFIX, 3),
    _pattern(SlotType.TAG, _TAG),
    _trimmed(SlotType.PRODUCT, _PRODUCT, _PRODUCT_PREFIX, 2),
    _amounts,
    _pattern(SlotType.AMOUNT, _PAID_FIGURE, 1),
)
