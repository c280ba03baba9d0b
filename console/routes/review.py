"""The review desk: the queue, a case at its hits, and the officer's verdict."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from bot.errors import Conflict, Forbidden
from bot.storage.database import Tx
from compliance import (
    CaseSummary,
    Conduct,
    DismissReason,
    EscalationTarget,
    FollowUp,
    Reviewer,
    Severity,
    VerdictKind,
    access_case,
)
from compliance.review import (
    CaseFilters,
    Decision,
    DecisionIncomplete,
    QueueTab,
    do_decide,
    do_undo,
    list_cases,
    queue_counts,
)
from console.conversation import Part, cut_excerpt, mark_text
from console.i18n import N_
from console.queries import excerpts_of, names_of
from console.render import View
from console.reviewers import reviewer_of
from console.rights import Right
from console.routing import CurrentView, needs

router = APIRouter()
_PAGE = 30
_ALL_CONTEXT = 50
_TABS = {
    QueueTab.OPEN: N_("待复核"),
    QueueTab.MINE: N_("我的"),
    QueueTab.OVERDUE: N_("已超时"),
    QueueTab.DECIDED: N_("已有结论"),
    QueueTab.CLOSED: N_("已结案"),
}
_MISSING = {
    "reason": N_("请选择误报的原因。"),
    "note": N_("请写一句说明，它会进入审计日志。"),
    "severity": N_("请选择严重程度。"),
    "conduct": N_("请选择违规类型。"),
    "follow_up": N_("请选择处理方式。"),
    "target": N_("请选择上报给谁。"),
}
_CHANGED = N_("这一单刚刚有变化，下面是最新状态。您的结论没有记录，请再看一眼。")
_NOT_YOURS = N_("您参与了这段会话，或它说的就是您，不能由您复核。")
_LIKELY_CONDUCT = {
    "promise_return": Conduct.PROMISE,
    "absolute_terms": Conduct.MISSELLING,
    "improper_sales": Conduct.MISSELLING,
    "competitor_disparage": Conduct.MISSELLING,
    "private_dealing": Conduct.OFF_BOOK,
    "privacy_leak": Conduct.DATA_LEAK,
    "insult": Conduct.ABUSE,
    "insider_info": Conduct.MARKET_ABUSE,
    "loan_fraud": Conduct.FRAUD,
    "complaint_signal": Conduct.COMPLAINT,
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A case in the list."""

    case: CaseSummary
    who: str
    excerpt: tuple[Part, ...]
    href: str


@router.get("/review", dependencies=[needs(Right.REVIEW_CASES)])
async def show_queue(
    view: CurrentView, tab: QueueTab = QueueTab.OPEN, page: Annotated[int, Query(ge=1, le=1000)] = 1
) -> Response:
    """Show the queue, no case opened."""
    return await _show(view, tab, page, None)


@router.get("/review/{case_id}", dependencies=[needs(Right.REVIEW_CASES)])
async def show_case(
    view: CurrentView,
    case_id: str,
    tab: QueueTab = QueueTab.OPEN,
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
    context: Annotated[int, Query(ge=3, le=_ALL_CONTEXT)] = 3,
    earlier: Annotated[int, Query(ge=0, le=200)] = 0,
) -> Response:
    """Open a case; that it was looked at is recorded."""
    return await _show(view, tab, page, case_id, context=context, earlier=earlier)


@router.post("/review/{case_id}/decide", dependencies=[needs(Right.REVIEW_CASES)])
async def post_decision(
    view: CurrentView,
    case_id: str,
    revision: Annotated[int, Form()],
    verdict: Annotated[VerdictKind, Form()],
    tab: Annotated[QueueTab, Form()] = QueueTab.OPEN,
    reason: Annotated[str, Form()] = "",
    severity: Annotated[str, Form()] = "",
    conduct: Annotated[str, Form()] = "",
    follow_up: Annotated[str, Form()] = "",
    target: Annotated[str, Form()] = "",
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Decide a case; the next one of the queue opens by itself."""
    reviewer = reviewer_of(view.actor)
    decision = _read_decision(verdict, reason, severity, conduct, follow_up, target, note)
    try:
        async with view.services.db.transaction() as tx:
            next_id = await _next_case(tx, view, tab, case_id)
            row = await do_decide(tx, reviewer, case_id, revision, decision, view.now)
    except DecisionIncomplete as missing:
        problem = _MISSING.get(missing.field, _MISSING["note"])
        return await _show(view, tab, 1, case_id, status=422, problem=problem, given=decision)
    except Conflict:
        return await _show(view, tab, 1, case_id, status=409, problem=_CHANGED)
    except Forbidden:
        return await _show(view, tab, 1, case_id, status=403, problem=_NOT_YOURS)
    path = f"/review/{next_id}?tab={tab}" if next_id else f"/review?tab={tab}"
    return view.redirect(
        path, view.gettext(N_("结论已记录")), undo=f"/review/{case_id}/undo?revision={row.revision}&tab={tab}"
    )


@router.post("/review/{case_id}/undo", dependencies=[needs(Right.REVIEW_CASES)])
async def post_undo(view: CurrentView, case_id: str, revision: int, tab: QueueTab = QueueTab.OPEN) -> Response:
    """Take back one's own last verdict while there is time; the case opens again."""
    async with view.services.db.transaction() as tx:
        await do_undo(tx, reviewer_of(view.actor), case_id, revision, view.now)
    return view.redirect(f"/review/{case_id}?tab={tab}", view.gettext(N_("已撤销，这一单回到复核中")))


def _read_decision(
    verdict: VerdictKind, reason: str, severity: str, conduct: str, follow_up: str, target: str, note: str
) -> Decision:
    """Return the decision of a form that offers all kinds at once: only what belongs to the verdict is kept."""
    confirmed, escalated = verdict is VerdictKind.CONFIRMED, verdict is VerdictKind.ESCALATED
    return Decision(
        verdict=verdict,
        reason=DismissReason(reason) if verdict is VerdictKind.DISMISSED and reason in set(DismissReason) else None,
        note=note,
        severity=Severity(severity) if confirmed and severity in set(Severity) else None,
        conduct=Conduct(conduct) if confirmed and conduct in set(Conduct) else None,
        follow_up=FollowUp(follow_up) if confirmed and follow_up in set(FollowUp) else None,
        target=EscalationTarget(target) if escalated and target in set(EscalationTarget) else None,
    )


async def _next_case(tx: Tx, view: View, tab: QueueTab, case_id: str) -> str | None:
    """Return the case after this one in the queue as it stands, else the first other one."""
    ids = [case.id for case in await list_cases(tx, reviewer_of(view.actor), CaseFilters(tab, limit=200), view.now)]
    if case_id in ids:
        ids = ids[ids.index(case_id) + 1 :] + ids[: ids.index(case_id)]
    return ids[0] if ids else None


async def _show(
    view: View,
    tab: QueueTab,
    page: int,
    case_id: str | None,
    *,
    context: int = 3,
    earlier: int = 0,
    status: int = 200,
    problem: str | None = None,
    given: Decision | None = None,
) -> Response:
    reviewer = reviewer_of(view.actor)
    async with view.services.db.transaction() as tx:
        queue = await _queue(tx, view, reviewer, tab, page)
        opened = await _open(tx, view, reviewer, case_id, context, earlier) if case_id else {"opened": None}
    if opened["opened"] is not None and opened["opened"].is_own_conduct and problem is None:
        problem = _NOT_YOURS
    return view.page(
        "review/page.html",
        fragments={"case": "review/_case.html", "queue": "review/_queue.html"},
        status=status,
        problem=problem,
        given=given,
        tab=tab,
        page=page,
        context=context,
        earlier=earlier,
        case_id=case_id,
        **queue,
        **opened,
    )


async def _queue(tx: Tx, view: View, reviewer: Reviewer, tab: QueueTab, page: int) -> dict[str, Any]:
    filters = CaseFilters(tab, offset=(page - 1) * _PAGE, limit=_PAGE + 1)
    cases = await list_cases(tx, reviewer, filters, view.now)
    excerpts = await excerpts_of(tx, [case.id for case in cases])
    names = await names_of(tx, [subject for case in cases for subject in case.subjects])
    lines = []
    for case in cases[:_PAGE]:
        excerpt = excerpts.get(case.id)
        lines.append(
            _Line(
                case,
                "、".join(names.get(item, item) for item in case.subjects),
                cut_excerpt(excerpt.text, excerpt.start, excerpt.end) if excerpt else (),
                f"/review/{case.id}?tab={tab}" + (f"&page={page}" if page > 1 else ""),
            )
        )
    counts = await queue_counts(tx, reviewer, view.now)
    tabs = [{"tab": key, "title": title, "count": counts.get(key, 0)} for key, title in _TABS.items()]
    return {"lines": lines, "tabs": tabs, "has_more": len(cases) > _PAGE}


async def _open(tx: Tx, view: View, reviewer: Reviewer, case_id: str, context: int, earlier: int) -> dict[str, Any]:
    opened = await access_case(tx, reviewer, case_id, view.now, context=context, earlier=earlier)
    people = {getattr(item, "sender_id", "") for item in opened.items} | set(opened.case.subjects)
    people |= {verdict.actor for verdict in opened.verdicts}
    people |= set(opened.case.conversation.split(":"))
    if opened.case.assignee:
        people.add(opened.case.assignee)
    return {
        "opened": opened,
        "names": await names_of(tx, people),
        "mark": lambda message: mark_text(message.text, [(item.start, item.end) for item in message.findings]),
        "likely_conduct": _LIKELY_CONDUCT.get(opened.case.category, Conduct.OTHER),
    }
