"""Making codes for the OAuth redirect (09, 9.1): who is asked, where the code may go."""

import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.state_apps import LoginCode

CODE_LIFE = timedelta(minutes=5)
TICKET_LIFE = timedelta(seconds=1800)
SCOPES = frozenset({"snsapi_base", "snsapi_privateinfo"})
STATE = re.compile(r"[0-9A-Za-z]{0,128}")


def check_request(platform: Platform, query: Mapping[str, str]) -> None:
    """Refuse a login address that the platform's page would not accept.

    Raises:
        ApiError: 40013 another corp, 50001 a host that is not trusted, 40056 another app, 40058 the rest.
    """
    if query.get("appid") != platform.config.corp_id:
        raise ApiError(40013)
    if query.get("response_type") != "code":
        raise ApiError(40058, "invalid parameter: response_type must be code")
    scope = query.get("scope")
    if scope not in SCOPES:
        raise ApiError(40058, "invalid parameter: scope")
    if not STATE.fullmatch(query.get("state", "")):
        raise ApiError(40058, "invalid parameter: state has at most 128 letters and digits")
    agent = query.get("agentid")
    if scope == "snsapi_privateinfo" and not agent:
        raise ApiError(40063, "missing: agentid")
    if agent and agent != str(platform.config.agent_id):
        raise ApiError(40056)
    target = urlsplit(query.get("redirect_uri", ""))
    if target.scheme not in {"http", "https"} or target.netloc not in _trusted(platform):
        raise ApiError(50001)


def _trusted(platform: Platform) -> tuple[str, ...]:
    """Return the hosts, with port, that a login may go to."""
    return platform.config.trusted_domains or (urlsplit(platform.config.app_callback.url).netloc,)


def make_redirect(platform: Platform, query: Mapping[str, str], person: str) -> str:
    """Return the address a person's browser goes to: the caller's own with `code` and `state` added."""
    private = query["scope"] == "snsapi_privateinfo"
    expires_at = platform.clock.now() + CODE_LIFE.total_seconds()
    code = platform.world.login_codes.put(LoginCode(platform.new_id("code"), person, private, expires_at))
    target = urlsplit(query["redirect_uri"])
    pairs = [*parse_qsl(target.query, keep_blank_values=True), ("code", code.code), ("state", query.get("state", ""))]
    return urlunsplit((target.scheme, target.netloc, target.path, urlencode(pairs), target.fragment))
