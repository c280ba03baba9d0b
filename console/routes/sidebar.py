"""The side bar page: an approved reply for one customer's question, to be sent with one tap or after a small edit.

Whole pages only: on iOS the JS-SDK's signature is checked against the address the page was first loaded with.
"""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from starlette.responses import JSONResponse, Response

from bot.errors import Forbidden, NotFound
from bot.ids import StaffId
from bot.kf.ledger import list_budgets_of
from bot.storage.database import Tx
from compliance import DraftReport, check_draft
from console.i18n import N_
from console.queries import names_of
from console.render import View
from console.rights import Right
from console.routing import CurrentView, needs
from console.stage.client import SimulatorClient
from handlers.models import ReplySuggestionRow, SuggestionState
from handlers.suggestions import access_suggestion, do_mark_suggestion_sent

router = APIRouter()
_BLOCKED = N_("这段话还不能发：请先改掉标出的内容，或改用建议的说法。")
_SENT = N_("已发出。")
_MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class _Adapter:
    """How the words get into the chat: through WeCom's SDK, the demo's simulator, or by copy and paste."""

    kind: str
    script_url: str | None = None
    corp_id: str = ""
    agent_id: str = ""


def _adapter(view: View) -> _Adapter:
    sdk = view.services.sdk
    if sdk is not None:
        return _Adapter("wecom", sdk.script_url, sdk.corp_id, sdk.agent_id)
    return _Adapter("simulator" if view.services.has_simulator else "none")


@router.get("/sidebar/reply/{suggestion_id}", dependencies=[needs(Right.SEND_REPLIES)])
async def show_reply(view: CurrentView, suggestion_id: str) -> Response:
    """Show the question and the approved reply."""
    return await _show(view, suggestion_id)


@router.post("/sidebar/reply/{suggestion_id}/check", dependencies=[needs(Right.SEND_REPLIES)])
async def post_check(
    view: CurrentView, suggestion_id: str, text: Annotated[str, Form(max_length=_MAX_TEXT)] = ""
) -> Response:
    """Check the words as they are typed."""
    async with view.services.db.reading() as tx:
        row = await access_suggestion(tx, StaffId(view.actor.staff_id), suggestion_id)
        report = await _check(tx, view, text)
    return view.page("sidebar/_check.html", report=report, is_edited=text.strip() != row.text.strip())


@router.post("/sidebar/reply/{suggestion_id}/send", dependencies=[needs(Right.SEND_REPLIES)])
async def post_send(
    view: CurrentView, suggestion_id: str, text: Annotated[str, Form(min_length=1, max_length=_MAX_TEXT)]
) -> Response:
    """Send the words as the member: through the simulator in the demo, else record that the member has sent them.

    The words are checked again here: the page's own check is a help, not a guard.
    """
    text = text.strip()
    async with view.services.db.reading() as tx:
        row = await access_suggestion(tx, StaffId(view.actor.staff_id), suggestion_id)
        report = await _check(tx, view, text)
    if not report.allowed:
        return await _show(view, suggestion_id, text=text, status=422, problem=_BLOCKED)
    if row.state is not SuggestionState.OFFERED:
        return await _show(view, suggestion_id)
    if _adapter(view).kind == "simulator":
        await _say_as_member(view, row, text)
    async with view.services.db.transaction() as tx:
        await do_mark_suggestion_sent(tx, StaffId(view.actor.staff_id), suggestion_id, text, view.now)
    return view.redirect(f"/sidebar/reply/{suggestion_id}", view.gettext(_SENT))


@router.get("/sidebar/sdk", dependencies=[needs(Right.SEND_REPLIES)])
async def sign_page(view: CurrentView, page: str) -> Response:
    """Sign one of our own side bar addresses for the SDK; any other would make us an oracle (09-oauth-jssdk.md)."""
    sdk = view.services.sdk
    if sdk is None:
        raise NotFound("no SDK is configured")
    ours, given = urlsplit(view.services.public_url), urlsplit(page)
    if (given.scheme, given.netloc) != (ours.scheme, ours.netloc) or not given.path.startswith("/sidebar/"):
        raise Forbidden("only our own side bar pages are signed")
    signed = {kind: await sdk.sign(page.partition("#")[0], kind) for kind in ("config", "agent_config")}
    return JSONResponse(
        {
            kind: {"timestamp": ticket.timestamp, "nonceStr": ticket.nonce, "signature": ticket.signature}
            for kind, ticket in signed.items()
        }
    )


async def _say_as_member(view: View, row: ReplySuggestionRow, text: str) -> None:
    client = SimulatorClient(view.services.http, view.services.simulator_url or "")
    if row.chat_id:
        await client.write_to_group(row.chat_id, row.staff_id, text)
    else:
        await client.write_to_chat(row.staff_id, row.customer_id, row.staff_id, text)


async def _check(tx: Tx, view: View, text: str) -> DraftReport:
    return check_draft(text, await view.services.lexicons.current(tx))


async def _show(
    view: View, suggestion_id: str, *, text: str | None = None, status: int = 200, problem: str | None = None
) -> Response:
    async with view.services.db.reading() as tx:
        row = await access_suggestion(tx, StaffId(view.actor.staff_id), suggestion_id)
        names = await names_of(tx, [row.customer_id, row.chat_id or ""])
        words = row.text if text is None else text
        report = await _check(tx, view, words)
        kf = await list_budgets_of(tx, row.customer_id, view.now)
    return view.page("sidebar/reply.html", status=status, kf=kf, **_values(view, row, names, words, report, problem))


def _values(
    view: View,
    row: ReplySuggestionRow,
    names: dict[str, str],
    words: str,
    report: DraftReport,
    problem: str | None,
) -> dict[str, Any]:
    return {
        "row": row,
        "customer_name": names.get(row.customer_id, row.customer_id),
        "group_name": names.get(row.chat_id, row.chat_id) if row.chat_id else None,
        "text": words,
        "report": report,
        "is_edited": words.strip() != row.text.strip(),
        "is_open": row.state is SuggestionState.OFFERED,
        "adapter": _adapter(view),
        "problem": problem,
    }
