"""Make the console: routes, static files, error pages, and the security around all of them."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from bot.errors import Conflict, Forbidden, NotFound, PlatformError, RequestRefused
from console.auth.sessions import SessionKeys
from console.render import Renderer, View
from console.rights import Right
from console.routes import (
    account,
    audit,
    broadcasts,
    channels,
    groups,
    health,
    home,
    review,
    scripts,
    sidebar,
    simulator,
)
from console.routing import LoginNeeded, needs
from console.security import SecurityMiddleware
from console.services import ConsoleServices

ErrorHandler = Callable[[Request, Exception], Awaitable[Response]]


def create_console(services: ConsoleServices) -> FastAPI:
    """Return the console's application. It owns no background work and no connection: any node can answer."""
    app = FastAPI(title="RM Assistant console", openapi_url=None, docs_url=None, redoc_url=None)
    keys = SessionKeys(services.secret_key)
    renderer = Renderer(services, keys)
    app.state.services = services
    app.state.renderer = renderer
    for module in (account, home, simulator, review, scripts, broadcasts, groups, channels, health, audit, sidebar):
        app.include_router(module.router)
    _serve_static(app, renderer)
    _serve_healthz(app, services)
    _answer_errors(app, renderer)
    app.add_middleware(
        SecurityMiddleware,
        services=services,
        keys=keys,
        error_page=lambda request, status: _page(renderer, request, status),
    )
    return app


def _serve_static(app: FastAPI, renderer: Renderer) -> None:
    @app.get("/static/{version}/{name}", dependencies=[needs(Right.PUBLIC)])
    async def send_static(request: Request, version: str, name: str) -> Response:
        return renderer.static.respond(request, version, name)


def _serve_healthz(app: FastAPI, services: ConsoleServices) -> None:
    @app.get("/healthz", dependencies=[needs(Right.PUBLIC)])
    async def healthz() -> Response:
        """Answer 200 when callbacks can be taken; a load balancer asks. Tells nothing that is not public."""
        report = await services.health()
        status = 200 if report.can_take_callbacks else 503
        return JSONResponse({"status": report.level, "can_take_callbacks": report.can_take_callbacks}, status)


def _answer_errors(app: FastAPI, renderer: Renderer) -> None:
    async def on_login_needed(request: Request, _error: Exception) -> Response:
        if request.method == "GET" and "x-fragment" not in request.headers:
            view = View(request, renderer)
            return view.redirect(account.login_path(request.url))
        return await _page(renderer, request, 401)

    def always(status: int) -> ErrorHandler:
        async def on_error(request: Request, _error: Exception) -> Response:
            return await _page(renderer, request, status)

        return on_error

    async def on_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return await _page(renderer, request, status)

    app.add_exception_handler(LoginNeeded, on_login_needed)
    app.add_exception_handler(Forbidden, always(403))
    app.add_exception_handler(NotFound, always(404))
    app.add_exception_handler(Conflict, always(409))
    app.add_exception_handler(RequestRefused, always(409))
    app.add_exception_handler(PlatformError, always(502))
    app.add_exception_handler(RequestValidationError, always(400))
    app.add_exception_handler(HTTPException, on_http)


async def _page(renderer: Renderer, request: Request, status: int) -> Response:
    known = status if status in {400, 401, 403, 404, 405, 409, 500, 502} else 500
    return View(request, renderer).page("errors/error.html", status=status, error=known)
