"""The errors of the whole product.

BotError
  SettingsError              the service cannot start; says which setting and how to mend it
  CallbackError              the request is not from WeCom, or not readable
    SignatureMismatch   DecryptFailed   CallbackMalformed   CallbackTooLarge   CallbackStale
  PlatformError              WeCom answered with an error code (kept as .errcode)
    TokenExpired   RateLimited(.retry_after_seconds)   RecipientUnavailable   PlatformMisconfigured
    PlatformUnavailable      no answer, or one that says "later"; the request may have been carried out
  RequestRefused             the actor or the state does not allow it
    Forbidden   NotFound   Conflict   ContentTooLong

Workers decide on `code` and `retryable`, never on a message's words. Messages carry no customer text and no secret.
"""


class BotError(Exception):
    """Base of all our errors. `code` is stable; `retryable` says whether trying again can help."""

    code = "error"
    retryable = False


class SettingsError(BotError):
    """The service cannot start as it is configured."""

    code = "settings"


class CallbackError(BotError):
    """A request to a callback URL is refused. `status` is the HTTP answer: nothing else is revealed."""

    code = "callback"
    status = 400


class SignatureMismatch(CallbackError):
    """The signature is missing or was not made with our token."""

    code = "callback.signature"
    status = 403


class CallbackStale(CallbackError):
    """The signed timestamp is outside the accepted window."""

    code = "callback.stale"
    status = 403


class DecryptFailed(CallbackError):
    """The ciphertext does not decrypt under our key, or is meant for somebody else."""

    code = "callback.decrypt"
    status = 403


class CallbackMalformed(CallbackError):
    """The request or its body cannot be read as the protocol says."""

    code = "callback.malformed"


class CallbackTooLarge(CallbackMalformed):
    """The body is larger than the setting allows."""

    code = "callback.too_large"


class PlatformError(BotError):
    """WeCom refused a request for a reason that trying again does not change."""

    code = "platform"

    def __init__(self, api: str, errcode: int, errmsg: str = "") -> None:
        super().__init__(f"{api} answered errcode {errcode} ({errmsg[:200]})")
        self.api = api
        self.errcode = errcode
        self.errmsg = errmsg


class TokenExpired(PlatformError):
    """The access token is no longer good: fetch it once more, call once more."""

    code = "platform.token"
    retryable = True


class RateLimited(PlatformError):
    """Too many calls; `retry_after_seconds` is how long the window is closed, by the platform or by our own pace."""

    code = "platform.rate"
    retryable = True

    def __init__(self, api: str, errcode: int, errmsg: str = "", *, retry_after_seconds: float = 60.0) -> None:
        super().__init__(api, errcode, errmsg)
        self.retry_after_seconds = retry_after_seconds


class RecipientUnavailable(PlatformError):
    """The person cannot be reached: no relation, out of range, refused."""

    code = "platform.recipient"


class PlatformMisconfigured(PlatformError):
    """An administrator has to mend something at the platform or in the settings first."""

    code = "platform.configuration"


class PlatformUnavailable(PlatformError):
    """No usable answer. `maybe_done` tells whether the request may have been carried out all the same."""

    code = "platform.unavailable"
    retryable = True

    def __init__(self, api: str, errcode: int = -1, errmsg: str = "", *, maybe_done: bool = False) -> None:
        super().__init__(api, errcode, errmsg)
        self.maybe_done = maybe_done


class RequestRefused(BotError):
    """The actor or the state of things does not allow it."""

    code = "refused"


class Forbidden(RequestRefused):
    """The actor lacks the right."""

    code = "refused.forbidden"


class NotFound(RequestRefused):
    """There is no such thing, or the actor may not know of it."""

    code = "refused.not_found"


class Conflict(RequestRefused):
    """It has changed since the actor looked, or its state does not allow the step."""

    code = "refused.conflict"


class ContentTooLong(RequestRefused):
    """It does not fit into a message and cannot be divided: `field` has `actual` `unit`, where `limit` are allowed."""

    code = "refused.too_long"

    def __init__(self, field: str, limit: int, actual: int, unit: str = "bytes") -> None:
        super().__init__(f"{field}: {actual} {unit}, at most {limit}")
        self.field = field
        self.limit = limit
        self.actual = actual
        self.unit = unit
