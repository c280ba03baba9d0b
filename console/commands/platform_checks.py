"""What `rmbot doctor` asks the platform: every secret once, and one harmless call for each feature we use.

Nothing is changed there. An application whose secret works again is let in again by all nodes (the circuit that a
refusal had opened is closed).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import SystemClock
from bot.errors import PlatformError, PlatformUnavailable, SettingsError
from bot.storage.database import Database
from bot.wecom.client import WeComClient
from bot.wecom.credentials import FATAL_CODES, DatabaseShelf, Keeper
from bot.wecom.http import make_http
from bot.wecom.reasons import explain
from bot.wecom.tokens import API as TOKEN_API
from bot.wecom.tokens import TokenStore
from console.commands.doctor_lines import Line, Mark, line
from console.settings import Settings

_MAX_SKEW_SECONDS = 60
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_NAMES = {"app": "自建应用", "kf": "微信客服", "contact": "通讯录", "archive": "会话存档"}
# Which line explains a code best; every other code is explained by the catalogue (bot/wecom/texts).
_KEYS = {60020: "platform_ip", 301042: "archive_ip", 48002: "platform_not_listed", 51165: "platform_builtin_secret"}


@dataclass(frozen=True, slots=True)
class _Probe:
    """A harmless call with one application's token. `mark` is how bad it is when it is refused."""

    app: str
    api: str
    feature: str
    mark: Mark
    params: Mapping[str, str]
    body: Mapping[str, Any]


def proxy_lines(settings: Settings, environment: Mapping[str, str] | None = None) -> list[Line]:
    """Say which way calls to the platform leave: by our setting, by the environment, or directly."""
    seen = os.environ if environment is None else environment
    exceptions = seen.get("NO_PROXY") or seen.get("no_proxy") or ""
    if settings.wecom.proxy:
        return [line(Mark.OK, "proxy_set", proxy=_without_password(settings.wecom.proxy))]
    for name in _PROXIES:
        value = seen.get(name) or seen.get(name.lower())
        if value:
            proxy = _without_password(value)
            return [line(Mark.OK, "proxy_environment", name=name, proxy=proxy, exceptions=exceptions or "-")]
    return [line(Mark.OK, "proxy_none")]


def _without_password(address: str) -> str:
    url = urlsplit(address if "://" in address else f"http://{address}")
    return f"{url.hostname or '?'}:{url.port or '-'}"


async def platform_lines(settings: Settings, language: str) -> list[Line]:
    """Ask the platform, application by application; one that does not answer is asked no more."""
    wecom = settings.wecom
    dates: list[str | None] = []

    async def note_date(response: httpx.Response) -> None:
        dates.append(response.headers.get("date"))

    async with make_http(wecom.api_base, wecom.timeout_seconds, wecom.proxy) as http:
        http.event_hooks["response"].append(note_date)
        secrets = wecom.secrets_by_app()
        client = WeComClient(http, TokenStore(http, SystemClock(), wecom.corp_id, secrets))
        lines = await _ask(settings, client, language)
    return [_clock(dates[0] if dates else None), *lines] if dates else lines


async def _ask(settings: Settings, client: WeComClient, language: str) -> list[Line]:
    lines: list[Line] = []
    # an application whose secret is refused has said all it can; asking on would get our address banned
    hopeless: set[str] = set()
    good: set[str] = set()
    for probe in _probes(settings):
        if probe.app in hopeless:
            continue
        try:
            answer = await client.call(probe.api, probe.body, params=probe.params, app=probe.app)
        except PlatformUnavailable as error:
            reason = error.errmsg or str(error.errcode)
            return [*lines, line(Mark.BAD, "platform_unreachable", base=settings.wecom.api_base, reason=reason)]
        except PlatformError as error:
            lines.append(_explain(probe, error, language))
            if error.api == TOKEN_API:
                hopeless.add(probe.app)
            continue
        lines += _good(probe, answer, settings)
        good.add(probe.app)
    await _let_in_again(settings, good)
    return lines


def _probes(settings: Settings) -> Sequence[_Probe]:
    """Return the calls: the application itself first, then each feature that is configured or likely."""
    wecom = settings.wecom
    agent = {"agentid": str(wecom.app.agent_id)}
    kf_mark = Mark.BAD if wecom.kf.open_kfids or wecom.kf.secret.get_secret_value() else Mark.WARN
    probes = [
        _Probe("app", "GET /cgi-bin/agent/get", "", Mark.BAD, agent, {}),
        _Probe("app", "GET /cgi-bin/externalcontact/get_follow_user_list", "客户联系", Mark.BAD, {}, {}),
        _Probe("contact", "GET /cgi-bin/department/simplelist", "通讯录", Mark.WARN, {}, {}),
        _Probe("kf", "POST /cgi-bin/kf/account/list", "微信客服", kf_mark, {}, {"offset": 0, "limit": 1}),
    ]
    if wecom.archive.secret.get_secret_value():
        api = "POST /cgi-bin/msgaudit/get_permit_user_list"
        probes.append(_Probe("archive", api, "会话存档", Mark.BAD, {}, {}))
    return probes


def _good(probe: _Probe, answer: Mapping[str, Any], settings: Settings) -> list[Line]:
    if probe.feature:
        return [line(Mark.OK, "feature_ok", feature=probe.feature)]
    lines = [line(Mark.OK, "platform_ok", base=settings.wecom.api_base)]
    users, departments, tags = (
        len((answer.get(part) or {}).get(field) or ())
        for part, field in (("allow_userinfos", "user"), ("allow_partys", "partyid"), ("allow_tags", "tagid"))
    )
    if users + departments + tags == 0:
        return [*lines, line(Mark.BAD, "visible_range_empty")]
    return [*lines, line(Mark.OK, "visible_range", users=users, departments=departments, tags=tags)]


def _explain(probe: _Probe, error: PlatformError, language: str) -> Line:
    name = _NAMES.get(probe.app, probe.app)
    if error.api == TOKEN_API and error.errcode in FATAL_CODES:
        return line(Mark.BAD, "platform_secret", app=name, errcode=error.errcode)
    reason = explain(error.errcode, language)
    values = {"app": name, "feature": probe.feature or name, "errcode": error.errcode}
    key = _KEYS.get(error.errcode, "platform_refused")
    mark = Mark.BAD if error.api == TOKEN_API else probe.mark
    return line(mark, key, **values, ip=_address_in(error.errmsg), what=reason.what, advice=reason.advice)


def _address_in(errmsg: str) -> str:
    """Return the address the platform saw, which it names in words only."""
    _, found, rest = errmsg.partition("from ip: ")
    return rest.split(",")[0].strip() if found else "?"


async def _let_in_again(settings: Settings, apps: set[str]) -> None:
    """Close the circuits of applications whose secret works; without a usable database there are none."""
    wecom = settings.wecom
    try:
        database = await Database.open(settings.storage.url)
    except SettingsError:
        return
    try:
        async with make_http(wecom.api_base, wecom.timeout_seconds, wecom.proxy) as http:
            clock = SystemClock()
            keeper = Keeper(DatabaseShelf(database), clock, "doctor")
            tokens = TokenStore(http, clock, wecom.corp_id, wecom.secrets_by_app(), keeper)
            for app in sorted(apps):
                await tokens.allow_again(app)
    except (SQLAlchemyError, OSError):
        return  # the line about the database says what is wrong with it
    finally:
        await database.close()


def _clock(date_header: str | None) -> Line:
    try:
        theirs = parsedate_to_datetime(date_header or "")
    except (ValueError, TypeError):
        return line(Mark.WARN, "clock_unknown")
    skew = abs((SystemClock().now() - _aware(theirs)).total_seconds())
    mark = Mark.OK if skew <= _MAX_SKEW_SECONDS else Mark.BAD
    return line(mark, "clock_ok" if mark is Mark.OK else "clock_bad", seconds=int(skew))


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
