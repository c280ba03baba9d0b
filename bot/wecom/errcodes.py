"""How we react to an error code: its class, by the dossier's table (errcodes.json, 90313), and the error it becomes.

Unknown codes are business: recorded and shown, not tried again.
"""

from enum import StrEnum

from bot.errors import (
    PlatformError,
    PlatformMisconfigured,
    PlatformUnavailable,
    RateLimited,
    RecipientUnavailable,
    TokenExpired,
)

# No relation, not a friend, out of range, refused to be contacted: about this recipient, not about the request.
_RECIPIENT_CODES = frozenset({40096, 41050, 46004, 50002, 60021, 60111, 81013, 84061, 95000, 95001, 95002})
# Too many at a time: by class to be repeated, and like all limits no failure of what waits.
_TOO_MANY_AT_ONCE = 45033


class Reaction(StrEnum):
    """What an answer with this code calls for."""

    OK = "ok"
    RETRY = "retry"
    REFRESH = "refresh"
    SLOW = "slow"
    CONFIG = "config"
    DONE = "done"
    BUSINESS = "business"


_CODES: dict[Reaction, frozenset[int]] = {
    Reaction.RETRY: frozenset({-1, 6000, 41063, 41096, 45033, 45035, 95007, 301058}),
    Reaction.REFRESH: frozenset({40001, 40014, 42001, 42009, 42012}),
    Reaction.SLOW: frozenset({41094, 45009, 846607}),
    Reaction.CONFIG: frozenset(
        {
            40004,
            40005,
            40008,
            40013,
            40016,
            40017,
            40018,
            40019,
            40020,
            40023,
            40033,
            40035,
            40056,
            40057,
            40063,
            40074,
            40091,
            40093,
            40094,
            41001,
            41035,
            41037,
            41038,
            41039,
            41040,
            41042,
            41043,
            41046,
            41049,
            41057,
            41059,
            41065,
            42014,
            42017,
            42018,
            42019,
            42020,
            43009,
            43012,
            44001,
            44004,
            45008,
            45032,
            45034,
            45036,
            48002,
            48004,
            48005,
            48006,
            48011,
            50001,
            50003,
            51165,
            60011,
            60020,
            60030,
            80001,
            81012,
            82001,
            82002,
            82003,
            82004,
            85005,
            86001,
            86004,
            86220,
            90200,
            90201,
            90202,
            90203,
            90204,
            90206,
            90207,
            90208,
            91040,
            301002,
            301042,
            301052,
            301053,
            301060,
            701008,
            846601,
            846609,
            853000,
        }
    ),
    Reaction.DONE: frozenset({41051, 41093, 90508, 95033, 846606}),
}

_BY_CODE = {code: reaction for reaction, codes in _CODES.items() for code in codes} | {0: Reaction.OK}


def reaction_to(errcode: int) -> Reaction:
    """Return the class of an error code; BUSINESS for one the table does not name."""
    return _BY_CODE.get(errcode, Reaction.BUSINESS)


def is_success(errcode: int) -> bool:
    """Say whether nothing is left to do: done, or done before."""
    return reaction_to(errcode) in (Reaction.OK, Reaction.DONE)


def error_for(api: str, errcode: int, errmsg: str) -> PlatformError:
    """Return the error that an answer with this code becomes. "System busy" (-1) may have been carried out [I]."""
    if errcode in _RECIPIENT_CODES:
        return RecipientUnavailable(api, errcode, errmsg)
    if errcode == _TOO_MANY_AT_ONCE:
        return RateLimited(api, errcode, errmsg)
    match reaction_to(errcode):
        case Reaction.REFRESH:
            return TokenExpired(api, errcode, errmsg)
        case Reaction.SLOW:
            return RateLimited(api, errcode, errmsg)
        case Reaction.RETRY:
            return PlatformUnavailable(api, errcode, errmsg, maybe_done=errcode == -1)
        case Reaction.CONFIG:
            return PlatformMisconfigured(api, errcode, errmsg)
        case _:
            return PlatformError(api, errcode, errmsg)
