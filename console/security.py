"""What holds for every request, whichever page answers: headers, who is asking, and no posts from other sites.

Pure ASGI, and it never reads a body. The order is fixed: headers are prepared, the session is looked up, an unsafe
request must prove that it comes from our own page, then the page runs; what it throws becomes an answer here, so that
error pages carry the same headers.
"""

import traceback
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.auth.models import Surface
from console.auth.sessions import Principal, SessionKeys, find_principal
from console.services import ConsoleServices

_log = structlog.get_logger()
_SAFE = {"GET", "HEAD", "OPTIONS"}
_NO_LOOK_UP = ("/static/", "/healthz")
SIDEBAR_COOKIE = "rm_sidebar"
SIDEBAR_PATH = "/sidebar"
ErrorPage = Callable[[Request, int], Awaitable[Response]]


def session_cookie(services: ConsoleServices) -> str:
    """Return the cookie's name; the `__Host-` prefix binds it to this host, but needs https."""
    return "__Host-rm_session" if is_secure(services) else "rm_session"


def is_secure(services: ConsoleServices) -> bool:
    """Tell whether cookies must be `Secure`: always, except in the demo over plain http."""
    return not services.demo or services.public_url.startswith("https://")


def content_policy(sdk_origin: str | None) -> str:
    """Return the Content-Security-Policy. Only side bar pages name one more origin, WeCom's SDK, if configured."""
    scripts = f"'self' {sdk_origin}" if sdk_origin else "'self'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class SecurityMiddleware:
    """Wraps the console's pages. `error_page` renders the answers that are decided here (403, 500)."""

    def __init__(self, app: ASGIApp, services: ConsoleServices, keys: SessionKeys, error_page: ErrorPage) -> None:
        self._app = app
        self._services = services
        self._keys = keys
        self._error_page = error_page
        self._policy = content_policy(None)
        sdk = services.sdk
        self._sidebar_policy = content_policy(_origin(sdk.script_url) if sdk else None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request through the steps above."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._headers(scope["path"]))
        try:
            scope.setdefault("state", {})["principal"] = await self._find_principal(HTTPConnection(scope))
            if scope["method"] not in _SAFE and not self._is_from_our_page(HTTPConnection(scope)):
                _log.warning("console.csrf_refused", path=scope["path"])
                await self._answer_error(403, scope, receive, answer)
                return
            await self._app(scope, receive, answer)
        except Exception as error:  # the outermost loop of the console: the person gets a page, the log the place
            _log.error(
                "console.request_failed",
                path=scope["path"],
                error=type(error).__name__,
                where="".join(traceback.format_tb(error.__traceback__)[-6:]),
            )
            if answer.started:
                raise
            await self._answer_error(500, scope, receive, answer)

    async def _answer_error(self, status: int, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._error_page(Request(scope, receive), status)
        await response(scope, receive, send)

    async def _find_principal(self, connection: HTTPConnection) -> Principal | None:
        path = connection.url.path
        if path.startswith(_NO_LOOK_UP):
            return None
        cookies = [(session_cookie(self._services), Surface.CONSOLE)]
        if path.startswith(SIDEBAR_PATH):
            cookies.insert(0, (SIDEBAR_COOKIE, Surface.SIDEBAR))
        for name, surface in cookies:
            session = self._keys.unseal(connection.cookies[name]) if name in connection.cookies else None
            if session is None:
                continue
            principal = await find_principal(self._services.db, session, self._services.clock.now())
            if principal is not None and principal.surface is surface:
                return principal
        return None

    def _is_from_our_page(self, connection: HTTPConnection) -> bool:
        """Tell whether an unsafe request was sent by one of our own pages (console.md, Security)."""
        headers = connection.headers
        token = headers.get("x-csrf-token")
        principal: Principal | None = connection.scope["state"]["principal"]
        if token is not None:
            return principal is not None and self._keys.is_csrf_token(principal.session, token)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        return headers.get("origin") in self._our_origins(connection)

    def _our_origins(self, connection: HTTPConnection) -> set[str]:
        """Return the origins that count as ours.

        The demo is reached by whatever address the machine has; a browser does not let a foreign page choose the Host
        it sends, so an Origin equal to it is ours as well. Outside the demo only the configured address counts.
        """
        ours = {_origin(self._services.public_url)}
        if self._services.demo:
            ours.add(f"{connection.url.scheme}://{connection.headers.get('host', '')}")
        return ours

    def _headers(self, path: str) -> dict[str, str]:
        headers = {
            "Content-Security-Policy": self._sidebar_policy if path.startswith(SIDEBAR_PATH) else self._policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        if is_secure(self._services):
            headers["Strict-Transport-Security"] = "max-age=31536000"
        return headers


class _Answer:
    """Passes an answer on with our headers added; one the page set itself is left as it is."""

    def __init__(self, send: Send, headers: dict[str, str]) -> None:
        self._send = send
        self._headers = headers
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
