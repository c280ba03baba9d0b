"""Log in, log out, and the two settings that are a person's own: language and theme."""

from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form
from starlette.datastructures import URL
from starlette.responses import Response

from bot import audit
from bot.errors import NotFound
from console.auth.demo import DEMO_PASSWORD, DEMO_PEOPLE
from console.auth.local import LoginRefused, do_log_in_as, log_in
from console.auth.models import AccountRow
from console.auth.sessions import ABSOLUTE_LIMIT, do_end_session
from console.i18n import LANGUAGES, N_
from console.render import THEMES, View
from console.rights import Right
from console.routing import CurrentView, needs
from console.security import is_secure, session_cookie

router = APIRouter()
_WRONG = N_("工号或密码不对，请检查后再试。连续错 5 次会锁定 15 分钟。")
_LOCKED = N_("错误次数太多，账号已锁定 15 分钟。请稍后再试，或联系系统管理员。")


def login_path(wanted: URL) -> str:
    """Return the login page's address that leads back to `wanted` afterwards."""
    back = wanted.path + (f"?{wanted.query}" if wanted.query else "")
    return "/login" if back == "/" else "/login?" + urlencode({"next": back})


def safe_next(path: str) -> str:
    """Return `path` when it is one of ours, else the home page: nobody is led to another host."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and "\\" not in path
    return path if ours else "/"


@router.get("/login", dependencies=[needs(Right.PUBLIC)])
async def show_login(view: CurrentView, next: str = "/") -> Response:
    """Show the form; who is logged in already goes on."""
    if view.principal is not None:
        return view.redirect(safe_next(next))
    return _login_page(view, next=next)


@router.post("/login", dependencies=[needs(Right.PUBLIC)])
async def post_login(
    view: CurrentView,
    staff_id: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=256)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Check name and password."""
    try:
        token = await log_in(view.services.db, staff_id.strip(), password, view.now)
    except LoginRefused as refused:
        words = _LOCKED if refused.locked else _WRONG
        return _login_page(view, next=next, status=422, error=words, staff_id=staff_id)
    return _logged_in(view, token, next)


@router.post("/login/demo", dependencies=[needs(Right.PUBLIC)])
async def post_demo_login(
    view: CurrentView,
    staff_id: Annotated[str, Form(max_length=64)],
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Enter as one of the demo's people without a password. Exists in the demo only."""
    if not view.services.demo or staff_id not in {person.staff_id for person in DEMO_PEOPLE}:
        raise NotFound("no such demo account")
    async with view.services.db.transaction() as tx:
        try:
            token = await do_log_in_as(tx, staff_id, view.now)
        except LoginRefused as refused:
            raise NotFound("the demo accounts are not installed") from refused
        if view.principal is not None:
            await do_end_session(tx, view.principal.session)
    return _logged_in(view, token, next)


@router.post("/logout", dependencies=[needs(Right.SIGNED_IN)])
async def post_logout(view: CurrentView) -> Response:
    """End the session, on every node."""
    actor = view.actor
    async with view.services.db.transaction() as tx:
        await do_end_session(tx, actor.session)
        await audit.record(
            tx,
            actor=actor.staff_id,
            action="console.logout",
            subject=f"account:{actor.staff_id}",
            details={},
            now=view.now,
        )
    response = view.redirect("/login")
    response.delete_cookie(session_cookie(view.services), secure=is_secure(view.services), httponly=True)
    return response


@router.get("/login/done", dependencies=[needs(Right.SIGNED_IN)])
async def show_login_done(view: CurrentView) -> Response:
    """Tell one who logged in again in a second window that the first one works again, draft and all."""
    return view.page("account/login_done.html")


@router.post("/settings", dependencies=[needs(Right.PUBLIC)])
async def post_settings(
    view: CurrentView,
    lang: Annotated[str | None, Form()] = None,
    theme: Annotated[str | None, Form()] = None,
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Change language or theme: in this browser, and in the account of who is logged in."""
    response = view.redirect(_without_lang(safe_next(next)))
    if lang in LANGUAGES:
        view.keep_choice(response, "lang", lang)
    if theme in THEMES:
        view.keep_choice(response, "theme", theme)
    if view.principal is not None:
        async with view.services.db.transaction() as tx:
            account = await tx.get(AccountRow, view.principal.staff_id)
            if account is not None:
                account.language = lang if lang in LANGUAGES else account.language
                account.theme = theme if theme in THEMES else account.theme
                tx.add(account)
    return response


def _without_lang(path: str) -> str:
    url = URL(path).remove_query_params("lang")
    return url.path + (f"?{url.query}" if url.query else "")


def _login_page(view: View, *, next: str, status: int = 200, error: str | None = None, staff_id: str = "") -> Response:
    return view.page(
        "account/login.html",
        status=status,
        error=error,
        staff_id=staff_id,
        next=safe_next(next),
        people=DEMO_PEOPLE if view.services.demo else (),
        demo_password=DEMO_PASSWORD if view.services.demo else None,
    )


def _logged_in(view: View, token: str, next: str) -> Response:
    response = view.redirect(safe_next(next))
    response.set_cookie(
        session_cookie(view.services),
        view.renderer.keys.seal(token),
        max_age=int(ABSOLUTE_LIMIT.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_secure(view.services),
        path="/",
    )
    return response
