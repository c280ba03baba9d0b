"""Small scripts and drafts for the tests of this package."""

from datetime import UTC, date, datetime
from typing import Any

from knowledge_base import Audience, Product, ProductStatus, Script, ScriptDraft

ON = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def script(script_id: str = "S-9001", question: str = "银行卡丢了怎么挂失", **changes: Any) -> Script:
    """Return an approved script for everybody, valid today."""
    values: dict[str, Any] = {
        "id": script_id,
        "category": "借记卡与账户",
        "title": "挂失",
        "question": question,
        "variants": (),
        "answer": "请马上在手机银行挂失。",
        "audience": Audience.BOTH,
        "version": 1,
        "approved_by": "何立新",
        "effective_on": date(2026, 1, 1),
        "expires_on": date(2026, 12, 31),
        "product_code": None,
        "source": "测试手册",
        "risk_note": None,
    }
    return Script(**{**values, **changes})


def draft(script_id: str = "S-9001", **changes: Any) -> ScriptDraft:
    """Return a draft that breaks no rule."""
    values: dict[str, Any] = {
        "script_id": script_id,
        "category": "借记卡与账户",
        "title": "夜间金库",
        "question": "夜间金库怎么用",
        "variants": ("晚上关门后怎么存营业款",),
        "answer": "请联系网点签约夜间金库。",
        "audience": Audience.BOTH,
        "source": "测试手册",
        "effective_on": date(2026, 1, 1),
    }
    return ScriptDraft(**{**values, **changes})


def product(**changes: Any) -> Product:
    """Return a deposit that is on sale."""
    values: dict[str, Any] = {
        "code": "D900",
        "name": "测试定期",
        "kind": "存款",
        "risk_level": None,
        "term": "1年",
        "rate_text": "年利率1.10%",
        "min_amount_fen": 5_000,
        "status": ProductStatus.ON_SALE,
    }
    return Product(**{**values, **changes})
