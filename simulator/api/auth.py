"""gettoken (91039) and the platform's own addresses."""

from simulator.api.endpoint import ANY, NO_TOKEN, Answer, Endpoint, ok
from simulator.api.params import need_text
from simulator.platform import ApiCall, Platform


def gettoken(platform: Platform, call: ApiCall) -> Answer:
    """Return the token of a secret; the same one inside its lifetime."""
    corp_id = need_text(call.params, "corpid")
    secret = need_text(call.params, "corpsecret")
    token = platform.tokens.issue(corp_id, secret)
    return ok(access_token=token.token, expires_in=int(token.expires_at - platform.clock.now()))


def getcallbackip(_platform: Platform, _call: ApiCall) -> Answer:
    """Return the addresses that callbacks come from."""
    return ok(ip_list=["127.0.0.1"])


ENDPOINTS = {
    "GET /cgi-bin/gettoken": Endpoint(gettoken, NO_TOKEN),
    "GET /cgi-bin/getcallbackip": Endpoint(getcallbackip, ANY),
}
