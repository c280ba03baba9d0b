"""Web login (09, 9.1): what a code of the redirect is worth. The page that makes codes is `simulator.pages`."""

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_text
from simulator.errors import ApiError
from simulator.login import TICKET_LIFE
from simulator.platform import ApiCall, Platform
from simulator.state_apps import UserTicket


def getuserinfo(platform: Platform, call: ApiCall) -> Answer:
    """Tell who brought a code, once within 5 minutes: a member, or an outsider with an openid."""
    code = platform.world.login_codes.find(need_text(call.params, "code", 40029))
    if code is None or code.used or code.expires_at <= platform.clock.now():
        raise ApiError(40029)
    code.used = True
    platform.world.login_codes.put(code)
    member = platform.world.find_member(code.person)
    if member is None:
        return ok(openid=f"o{code.person[2:]}", external_userid=code.person)
    if not member.visible:
        raise ApiError(50002)
    answer = ok(userid=member.userid)
    if code.private:
        expires_at = platform.clock.now() + TICKET_LIFE.total_seconds()
        ticket = UserTicket(platform.new_id("ut"), member.userid, expires_at)
        answer["user_ticket"] = platform.world.user_tickets.put(ticket).ticket
    return answer


def getuserinfo_old(platform: Platform, call: ApiCall) -> Answer:
    """Tell who brought a code under the path and with the spelling of older pages."""
    answer = getuserinfo(platform, call)
    assert isinstance(answer, dict)
    renamed = {"userid": "UserId", "openid": "OpenId"}
    return {renamed.get(name, name): value for name, value in answer.items() if name != "user_ticket"}


def getuserdetail(platform: Platform, call: ApiCall) -> Answer:
    """Return what a member agreed to show; the simulated ones agree to all."""
    ticket = platform.world.user_tickets.find(need_text(call.body, "user_ticket"))
    if ticket is None or ticket.expires_at <= platform.clock.now():
        raise ApiError(40058, "invalid parameter: user_ticket")
    number = int.from_bytes(ticket.userid.encode()) % 10**8
    return ok(
        userid=ticket.userid,
        gender=0,
        avatar="",
        qr_code="",
        mobile=f"199{number:08d}",
        email=f"{ticket.userid}@bank.example",
        biz_mail=f"{ticket.userid}@bank.example",
        address="",
    )


ENDPOINTS = {
    "GET /cgi-bin/auth/getuserinfo": Endpoint(getuserinfo, APP),
    "GET /cgi-bin/user/getuserinfo": Endpoint(getuserinfo_old, APP),
    "POST /cgi-bin/auth/getuserdetail": Endpoint(getuserdetail, APP),
}
