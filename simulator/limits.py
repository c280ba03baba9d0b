"""The rules that hold for every API: call frequency, banned and untrusted addresses, the state of the app.

Numbers are the documented ones (dossier 03, 3.1 and 3.2) unless `CallRules` says that the documents give none.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from simulator.clock import SimClock, iso
from simulator.config import CallRules
from simulator.errors import ApiError
from simulator.state import Json

MINUTE, HOUR = 60.0, 3600.0
GETTOKEN = "GET /cgi-bin/gettoken"
OUTSIDE_BASE_LIMIT = frozenset({"POST /cgi-bin/message/send"})  # it has its own quota (90312)
ARCHIVE_APP = "archive"
APP_STATES = {"disabled": (50003, "app is disabled"), "inactive": (48011, "app is restricted for low activity")}
# whose changes must come one after the other (dossier 03, 3.2): the fields that name the object
ONE_WRITER: Mapping[str, tuple[str, ...]] = {
    "POST /cgi-bin/externalcontact/mark_tag": ("userid", "external_userid"),
    "POST /cgi-bin/externalcontact/remark": ("userid", "external_userid"),
    "POST /cgi-bin/externalcontact/transfer_customer": ("handover_userid", "external_userid"),
    "POST /cgi-bin/externalcontact/resigned/transfer_customer": ("handover_userid", "external_userid"),
    "POST /cgi-bin/externalcontact/groupchat/transfer": ("chat_id_list",),
    "POST /cgi-bin/externalcontact/groupchat/onjob_transfer": ("chat_id_list",),
}
MOST_WRITES_REMEMBERED = 10_000


@dataclass(slots=True)
class Meter:
    """Calls of one key in the current minute and hour; `blocked_until` is 0 while it is open."""

    minute: int = 0
    in_minute: int = 0
    hour: int = 0
    in_hour: int = 0
    blocked_until: float = 0.0

    def count(self, now: float) -> None:
        """Count one call."""
        minute, hour = int(now // MINUTE), int(now // HOUR)
        if minute != self.minute:
            self.minute, self.in_minute = minute, 0
        if hour != self.hour:
            self.hour, self.in_hour = hour, 0
        self.in_minute += 1
        self.in_hour += 1

    def is_over(self, per_minute: int, per_hour: int, now: float) -> bool:
        """Say whether the key is blocked now; a window that overflows blocks for its own length."""
        if now < self.blocked_until:
            return True
        self.count(now)
        if per_hour and self.in_hour > per_hour:
            self.blocked_until = now + HOUR
        elif per_minute and self.in_minute > per_minute:
            self.blocked_until = now + MINUTE
        return now < self.blocked_until


class CallLimits:
    """Judges every call by the rules that are in force; the rules can be changed at any time."""

    def __init__(self, rules: CallRules, clock: SimClock) -> None:
        self._start_rules = rules
        self._clock = clock
        self.rules = rules
        self._meters: dict[str, Meter] = {}
        self._wrong_secrets: dict[str, Meter] = {}
        self._under_way: dict[str, int] = {}
        self._writes: dict[str, float] = {}

    def change(self, changes: Mapping[str, Any]) -> None:
        """Put other values in force; blocks and bans go on.

        Raises:
            TypeError: a name that is no rule.
        """
        self.rules = replace(self.rules, **changes)

    def lift(self) -> None:
        """Lift all blocks and bans."""
        self._meters.clear()
        self._wrong_secrets.clear()
        self._writes.clear()

    def forget(self) -> None:
        """Go back to the rules of the start; lift all blocks and bans."""
        self.rules = self._start_rules
        self.lift()

    # addresses and the app

    def check_address(self, app: str, address: str) -> None:
        """Refuse a caller outside the trusted list: 60020, of the archive's own list 301042."""
        archive = app == ARCHIVE_APP
        trusted = self.rules.archive_trusted_ips if archive else self.rules.trusted_ips
        if trusted is None or address in trusted:
            return
        if archive:
            raise ApiError(301042, f"ip not in the archive's trusted list, from ip: {address}")
        hint = int(self._clock.real() * 1000)
        raise ApiError(
            60020,
            f"not allow to access from your ip, hint: [{hint}], from ip: {address}, "
            "more info at https://open.work.weixin.qq.com/devtool/query?e=60020",
        )

    def check_app(self, app: str) -> None:
        """Refuse calls of the self-built app while it is disabled or restricted."""
        if app == "app" and self.rules.app_state in APP_STATES:
            raise ApiError(*APP_STATES[self.rules.app_state])

    def check_banned(self, address: str) -> None:
        """Refuse an address that came with too many wrong secrets (03, 3.1)."""
        meter = self._wrong_secrets.get(address)
        if meter is not None and self._clock.now() < meter.blocked_until:
            raise ApiError(45009, f"too many wrong secrets, ip blocked until {iso(meter.blocked_until)}")

    def note_wrong_secret(self, address: str) -> None:
        """Count a wrong secret; too many within an hour ban the address for an hour."""
        meter = self._wrong_secrets.setdefault(address, Meter())
        if self.rules.wrong_secrets_per_hour:
            meter.is_over(0, self.rules.wrong_secrets_per_hour, self._clock.now())

    # frequency

    def check_frequency(self, api: str) -> None:
        """Count a call of an API; refuse it with 45009 when it is one too many, for as long as the window is."""
        if api in OUTSIDE_BASE_LIMIT:
            return
        per_minute, per_hour = self.rules.calls_per_minute, self.rules.calls_per_hour
        if api == GETTOKEN:
            per_minute = self.rules.tokens_per_minute or per_minute
        meter = self._meters.setdefault(api, Meter())
        if meter.is_over(per_minute, per_hour, self._clock.now()):
            raise ApiError(45009, f"api freq out of limit, blocked until {iso(meter.blocked_until)}")

    def check_debug(self) -> None:
        """Count a call with `debug=1`; refuse the sixth of a minute."""
        meter = self._meters.setdefault("debug=1", Meter())
        most = self.rules.debug_calls_per_minute
        if most and meter.is_over(most, 0, self._clock.now()):
            raise ApiError(45009, f"api freq out of limit: debug=1 more than {most} times a minute")

    # calls at the same time

    def enter(self, api: str) -> None:
        """Note that a call of an API has arrived."""
        self._under_way[api] = self._under_way.get(api, 0) + 1

    def leave(self, api: str) -> None:
        """Note that a call of an API has been answered."""
        self._under_way[api] -= 1
        if not self._under_way[api]:
            del self._under_way[api]

    def check_concurrency(self, api: str) -> None:
        """Refuse with 45033 when too many calls of one API are under way."""
        most = self.rules.concurrent_calls
        if most and self._under_way.get(api, 0) > most:
            raise ApiError(45033, f"more than {most} concurrent calls of this api")

    def check_one_writer(self, api: str, body: Json, arrived: float, now: float) -> None:
        """Refuse with 45035 a change of what another call changed while this one was already under way.

        `arrived` and `now` are of the event loop's clock.
        """
        if not self.rules.one_writer:
            return
        objects = list_objects(api, body)
        if any(self._writes.get(name, 0.0) > arrived for name in objects):
            raise ApiError(45035)
        if len(self._writes) > MOST_WRITES_REMEMBERED:
            self._writes.clear()
        self._writes.update(dict.fromkeys(objects, now))

    def show(self) -> Json:
        """Return the rules in force, and who is blocked by them until when."""
        now = self._clock.now()
        return {
            **{rule.name: getattr(self.rules, rule.name) for rule in fields(self.rules)},
            "blocked_apis": _blocked(self._meters, now),
            "banned_ips": _blocked(self._wrong_secrets, now),
        }


def _blocked(meters: Mapping[str, Meter], now: float) -> dict[str, str]:
    return {name: iso(meter.blocked_until) for name, meter in meters.items() if now < meter.blocked_until}


def list_objects(api: str, body: Json) -> Collection[str]:
    """Return the objects that a call changes, of the kinds that stand only one writer at a time."""
    named = ONE_WRITER.get(api)
    if named is None:
        return ()
    objects = [""]
    for name in named:
        value = body.get(name)
        values = value if isinstance(value, list) else [value]
        objects = [f"{start}|{one}" for start in objects for one in values]
    return [f"{named[-1]}{tail}" for tail in objects]
