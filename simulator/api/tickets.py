"""JS-SDK tickets (03, 3.1; 09, 9.2): one for the corp and one for the app, the same inside its lifetime."""

from datetime import timedelta

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_text
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state_apps import JsTicket

TICKET_LIFE = timedelta(seconds=7200)
CORP, AGENT = "corp", "agent_config"
PER_HOUR = {CORP: 400, AGENT: 100}


def get_jsapi_ticket(platform: Platform, _call: ApiCall) -> Answer:
    """Return the corp's ticket, for `config`."""
    return _answer(platform, CORP)


def ticket_get(platform: Platform, call: ApiCall) -> Answer:
    """Return the app's ticket, for `agentConfig`."""
    if need_text(call.params, "type") != AGENT:
        raise ApiError(91040)
    return _answer(platform, AGENT)


def _answer(platform: Platform, kind: str) -> Answer:
    if platform.count_recent(f"ticket:{kind}", 3600) >= PER_HOUR[kind]:
        raise ApiError(45009)
    platform.note_recent(f"ticket:{kind}")
    now = platform.clock.now()
    ticket = platform.world.js_tickets.find(kind)
    if ticket is None or ticket.expires_at <= now:
        fresh = JsTicket(kind, platform.new_id("ticket") * 2, now + TICKET_LIFE.total_seconds())
        ticket = platform.world.js_tickets.put(fresh)
    return ok(ticket=ticket.ticket, expires_in=int(ticket.expires_at - now))


ENDPOINTS = {
    "GET /cgi-bin/get_jsapi_ticket": Endpoint(get_jsapi_ticket, APP),
    "GET /cgi-bin/ticket/get": Endpoint(ticket_get, APP),
}
