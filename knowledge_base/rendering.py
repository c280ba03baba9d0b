"""Fill the variables of a script's answer. Pure.

Two kinds of variables: those of the shelf (name, rate, minimum, term, risk level) come from the product and from
nowhere else, so that no figure can be typed into an approved wording; those of the person and the occasion come from
the caller.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from knowledge_base.errors import MissingVariable
from knowledge_base.values import Product, Script

_VARIABLE = re.compile(r"\{([^{}\s]{1,20})\}")


def _amount(product: Product) -> str:
    """Return the minimum in words of the counter: 20万元, 5万元, 1,000元."""
    fen = product.min_amount_fen
    if fen is None:
        return ""
    yuan, rest = divmod(fen, 100)
    if rest:
        return f"{fen / 100:,.2f}元"
    return f"{yuan // 10_000}万元" if yuan >= 10_000 and yuan % 10_000 == 0 else f"{yuan:,}元"


def _risk(product: Product) -> str:
    return product.risk_level.value if product.risk_level else ""


_FROM_SHELF: Final[Mapping[str, Callable[[Product], str]]] = {
    "产品名": lambda product: product.name,
    "利率": lambda product: product.rate_text,
    "期限": lambda product: product.term,
    "起存金额": _amount,
    "风险等级": _risk,
}
SHELF_VARIABLES: Final = frozenset(_FROM_SHELF)
# What a caller may give. A variable outside both sets is refused when a draft is stored.
CALLER_VARIABLES: Final = frozenset(
    {"客户称呼", "客户经理", "网点", "电话", "日期", "到期日", "产品名称", "活动名", "节日"}
)


def variables_of(answer: str) -> tuple[str, ...]:
    """List the variables of an answer, each once, in the order in which they stand."""
    return tuple(dict.fromkeys(_VARIABLE.findall(answer)))


def missing_variables(script: Script, values: Mapping[str, str], shelf: Mapping[str, Product]) -> tuple[str, ...]:
    """List the variables for which there is no value, in the order of the text. The shelf is keyed by code."""
    known = _known(script, values, shelf)
    return tuple(name for name in variables_of(script.answer) if not known.get(name))


def render_answer(script: Script, values: Mapping[str, str], shelf: Mapping[str, Product]) -> str:
    """Return the answer with every variable filled, and the risk sentence below it where the script has one.

    Shelf variables given in `values` are left unread: figures come from the shelf only.

    Raises:
        MissingVariable: at least one has no value; none is ever left out or guessed.
    """
    missing = missing_variables(script, values, shelf)
    if missing:
        raise MissingVariable(script.id, missing)
    known = _known(script, values, shelf)
    return _with_risk(_VARIABLE.sub(lambda found: known[found[1]], script.answer), script)


def render_preview(script: Script, values: Mapping[str, str], shelf: Mapping[str, Product]) -> str:
    """Return the answer for a relationship manager who will complete it: what is missing stands as 【变量名】."""
    known = _known(script, values, shelf)
    return _with_risk(_VARIABLE.sub(lambda found: known.get(found[1]) or f"【{found[1]}】", script.answer), script)


def _known(script: Script, values: Mapping[str, str], shelf: Mapping[str, Product]) -> dict[str, str]:
    known = {name: value for name, value in values.items() if name not in SHELF_VARIABLES}
    product = shelf.get(script.product_code) if script.product_code else None
    if product is not None:
        known |= {name: read(product) for name, read in _FROM_SHELF.items()}
    return known


def _with_risk(body: str, script: Script) -> str:
    return f"{body}\n{script.risk_note}" if script.risk_note else body
