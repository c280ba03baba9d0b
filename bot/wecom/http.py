"""What every call over HTTP to the platform shares: the client's settings, and reading a JSON answer."""

from typing import Any

import httpx

from bot.errors import PlatformUnavailable


def make_http(base_url: str, timeout_seconds: float, proxy: str = "") -> httpx.AsyncClient:
    """Return a client for the platform. It follows no redirects: a token must not be carried elsewhere.

    Without a proxy of its own it goes through the one that HTTPS_PROXY names, except where NO_PROXY says not to.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        proxy=proxy or None,
        timeout=httpx.Timeout(timeout_seconds, connect=min(5.0, timeout_seconds)),
        limits=httpx.Limits(max_connections=50, max_keepalive_connections=20),
        follow_redirects=False,
    )


def read_json(api: str, response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        PlatformUnavailable: a status of 500 or more, or no JSON object. The request may have been carried out.
    """
    if response.status_code >= 500:
        raise PlatformUnavailable(api, errmsg=f"HTTP {response.status_code}", maybe_done=True)
    try:
        answer = response.json()
    except ValueError:
        raise PlatformUnavailable(api, errmsg="the answer is not JSON", maybe_done=True) from None
    if not isinstance(answer, dict):
        raise PlatformUnavailable(api, errmsg="the answer is not an object", maybe_done=True)
    return answer
