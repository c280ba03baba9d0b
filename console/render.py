"""From values to pages: the Jinja environments (one a language), whole pages, single regions, and flash messages."""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from itsdangerous import BadSignature, URLSafeSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.clock import CHINA
from console import channels, formats, words
from console.auth.sessions import Principal, SessionKeys
from console.i18n import LANGUAGES, Catalogue, load_catalogue
from console.rights import Right
from console.security import is_secure
from console.services import ConsoleServices
from console.static_files import StaticFiles

_TEMPLATES = Path(__file__).parent / "templates"
THEMES = ("auto", "light", "dark")
_FLASH = "rm_flash"
_YEAR = 31_536_000


def make_environment(language: str, static: StaticFiles) -> Environment:
    """Return the environment of one language. Undefined names are errors: a page with a hole is a wrong page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    catalogue = load_catalogue(language)
    environment.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the i18n extension adds it
    environment.globals.update(
        asset=static.url, language=language, Right=Right, words=words, hints=channels, EMPTY=formats.EMPTY
    )
    environment.filters.update(
        full_time=formats.full_time,
        masked=formats.masked,
        named_places=formats.named_places,
        cron_time=lambda value: formats.cron_time(value, language),
        day=lambda value: formats.day(value, language),
        number=lambda value: formats.number(value, language),
        span=lambda value: formats.span(value, language),
        compact_json=lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True, default=str),
    )
    return environment


class Renderer:
    """Holds what all requests share: the environments, the static files, the keys that sign flash messages."""

    def __init__(self, services: ConsoleServices, keys: SessionKeys) -> None:
        self.services = services
        self.keys = keys
        self.static = StaticFiles()
        self.environments = {language: make_environment(language, self.static) for language in LANGUAGES}
        self.flashes = URLSafeSerializer(services.secret_key, salt="console.flash")


class View:
    """One request's way to answer: knows who asks, in which language and theme, and whether one region is wanted."""

    def __init__(self, request: Request, renderer: Renderer) -> None:
        self.request = request
        self.renderer = renderer
        self.services = renderer.services
        self.principal: Principal | None = getattr(request.state, "principal", None)
        self.language = self._choose("lang", LANGUAGES, self.principal.language if self.principal else "zh")
        self.theme = self._choose("theme", THEMES, self.principal.theme if self.principal else "auto")
        self.catalogue: Catalogue = load_catalogue(self.language)
        self.now: datetime = self.services.clock.now()
        self.nav_counts: dict[str, int] = {}

    def _choose(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        for given in (self.request.query_params.get(name), self.request.cookies.get(f"rm_{name}"), default):
            if given in allowed:
                return str(given)
        return allowed[0]

    @property
    def actor(self) -> Principal:
        """Return who asks; for routes that require a login."""
        if self.principal is None:
            raise RuntimeError("a route that needs a login was left public")
        return self.principal

    @property
    def fragment(self) -> str | None:
        """Return the id of the region that is wanted, `None` for the whole page."""
        return self.request.headers.get("x-fragment")

    def gettext(self, text: str, **values: object) -> str:
        """Return a text of the catalogue in the request's language, with values filled in."""
        return self.catalogue.gettext(text) % values if values else self.catalogue.gettext(text)

    def page(
        self,
        template: str,
        /,
        *,
        fragments: Mapping[str, str] | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """Render a page, or the one region of it that was asked for.

        `fragments` names the template of each region by its element's id; an unknown id gets the whole page.
        """
        name = (fragments or {}).get(self.fragment or "", template)
        environment = self.renderer.environments[self.language]
        flash = self._read_flash()
        html = environment.get_template(name).render(**self._shared(), flash=flash, **values)
        response = HTMLResponse(html, status_code=status, headers={"Vary": "X-Fragment", **(headers or {})})
        if flash is not None:
            if name.rpartition("/")[2].startswith("_"):
                response.headers["X-Message"] = quote(flash["text"])
                response.headers["X-Undo"] = quote(flash.get("undo") or "")
            response.delete_cookie(_FLASH)
        if self.request.query_params.get("lang") in LANGUAGES:
            self.keep_choice(response, "lang", self.language)
        return response

    def _shared(self) -> dict[str, Any]:
        return {
            "view": self,
            "principal": self.principal,
            "path": self.request.url.path,
            "csrf_token": self.renderer.keys.csrf_token(self.principal.session) if self.principal else "",
            "demo": self.services.demo,
            "has_simulator": self.services.has_simulator,
            "when": self.when,
            "ago": self.ago,
        }

    def when(self, value: datetime | None) -> str:
        """Say an instant as this reader should see it."""
        return formats.when(value, self.now, self.language)

    def ago(self, value: datetime | None) -> str:
        """Say how long ago it was."""
        return formats.EMPTY if value is None else formats.span(max(self.now - value, timedelta()), self.language)

    def today(self) -> date:
        """Return the bank's date."""
        return self.now.astimezone(CHINA).date()

    def redirect(self, path: str, message: str | None = None, undo: str | None = None) -> Response:
        """Answer a form: go to `path` (ours) and say `message` there, with a way back when `undo` is given."""
        response = RedirectResponse(path, status_code=303)
        if message is not None:
            sealed = self.renderer.flashes.dumps({"text": message, "undo": undo})
            response.set_cookie(
                _FLASH, str(sealed), max_age=60, httponly=True, samesite="lax", secure=is_secure(self.services)
            )
        return response

    def _read_flash(self) -> dict[str, Any] | None:
        sealed = self.request.cookies.get(_FLASH)
        if not sealed:
            return None
        try:
            return cast(dict[str, Any], self.renderer.flashes.loads(sealed))
        except BadSignature:
            return None

    def keep_choice(self, response: Response, name: str, value: str) -> None:
        """Remember a language or theme in this browser."""
        response.set_cookie(
            f"rm_{name}", value, max_age=_YEAR, httponly=True, samesite="lax", secure=is_secure(self.services)
        )
