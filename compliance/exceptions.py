"""Reasons why a word in a text does no harm: negation, prohibition, warning, a border between words. Pure.

Everything works on one clause of the folded text. The rules are narrow on purpose: a negator must govern the word, with
nothing between them but words that pass negation on, because "不用担心，这只稳赚" negates something else.

Source: ../shared/compliance/facts.md section 3.2.
"""

import re

import rjieba

from compliance.findings import Category, Direction
from compliance.folding import CLAUSE_MARKS, SENTENCE_MARKS

_CLAUSE_REACH = 60

# 强禁止：管到本分句末尾。
_PROHIBITION = re.compile(
    "严禁|禁止|不得(?!不)|不准|不许|不允许|请勿|切勿|勿|杜绝|抵制|谨防|警惕|防范|防止|打击|拒绝|远离|严查|严打|反诈"
)
# 弱否定：与词之间只能隔着传递否定的成分。
_NEGATION = re.compile(
    "不可能|不一定|不存在|不属于|不等于|不构成|不代表|不保证|不承诺|不提供|不支持|不办理|不应该?|不能|不会|不可以?|不要|不是|不算|"
    "并非|绝非|没有|没|未|无法|从不|从未|绝不|不"
)
_BRIDGE = re.compile(
    "(?:任何|所谓的?|能够|能|会|要|可以?|应|再|曾|说过?|讲过?|作出?|做出?|进行|参与|提供|存在|涉及|属于|构成|是|有|过|"
    "对(?:您|你|客户|外)|向(?:您|你|客户|任何人)|给(?:您|你|客户)|为(?:您|你|客户)|替(?:您|你|客户)|帮(?:您|你|客户)|与|和|"
    "承诺|保证|宣传|员工|私下|擅自|违规|以任何(?:形式|方式)|本金|收益|的|或者?|及|、)*"
)
# 双重否定与反问仍算命中。
_RHETORICAL = re.compile("谁说|难道|不得不|不能不|不会不|无不|哪有不|怎么可能不")

_WARNING_AFTER = re.compile(
    "骗局|诈骗|骗子|骗人|骗钱|陷阱|圈套|谣言|假的|违法|违规|犯罪|不可信|别信|勿信|不要相信|不要信|不合规|不可取|红线|"
    "被禁止|被严禁|不允许|必究|警示|案例|风险很大|什么意思|是什么|是啥"
)
_WARNING_BEFORE = re.compile("警示教育|反诈宣传|典型案例|警示案例|什么是|什么叫|以案说|凡是|但凡")

# 客户的投诉、求救和辱骂里常有“违规”“骗子”，那正是要看见的内容。
_NEVER_EXCUSED_FROM_CUSTOMER = frozenset({Category.COMPLAINT_SIGNAL, Category.URGENT_SIGNAL})


def clause_of(text: str, start: int, end: int, marks: frozenset[str] = CLAUSE_MARKS) -> tuple[int, int]:
    """Return the span of the clause around text[start:end], at most 60 characters to either side."""
    left, right = start, end
    while left > 0 and start - left < _CLAUSE_REACH and text[left - 1] not in marks:
        left -= 1
    while right < len(text) and right - end < _CLAUSE_REACH and text[right] not in marks:
        right += 1
    return left, right


def find_excuse(text: str, start: int, end: int, category: Category, speaker: Direction) -> str | None:
    """Return why the word at text[start:end] does not count, as `negation:…` or `warning:…`, or `None`.

    Abuse has no excuse; a customer's complaint or cry for help has only a plain negation at most.
    """
    if category is Category.INSULT:
        return None
    left, right = clause_of(text, start, end)
    before, after = text[left:start], text[end:right]
    if _RHETORICAL.search(before):
        return None
    if speaker is Direction.CUSTOMER and category in _NEVER_EXCUSED_FROM_CUSTOMER:
        return _negation(before) if category is Category.COMPLAINT_SIGNAL else None
    return _prohibition(before) or _negation(before) or _warning(before, after)


def _prohibition(before: str) -> str | None:
    found = _PROHIBITION.search(before)
    return f"negation:{found.group()}" if found else None


def _negation(before: str) -> str | None:
    for found in _NEGATION.finditer(before):
        if _BRIDGE.fullmatch(before, found.end()):
            return f"negation:{found.group()}"
    return None


def _warning(before: str, after: str) -> str | None:
    found = _WARNING_AFTER.search(after) or _WARNING_BEFORE.search(before)
    return f"warning:{found.group()}" if found else None


def crosses_word_border(text: str, start: int, end: int) -> bool:
    """Tell whether a word of the language begins outside text[start:end] and ends inside, or the other way round.

    跑分理处: 分理处 begins inside 跑分 and ends after it, so nobody said 跑分.
    """
    left, right = clause_of(text, start, end, SENTENCE_MARKS)
    # Without the model for unknown words, which invents words like 说荐 out of 我跟您说荐股.
    for _, first, last in rjieba.tokenize(text[left:right], hmm=False):
        word_start, word_end = left + first, left + last
        if word_start < start < word_end < end or start < word_start < end < word_end:
            return True
    return False
