"""What an API function is: from a platform and a checked call to an answer, and who may call it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulator.platform import ApiCall, Platform
from simulator.state import Json


@dataclass(frozen=True, slots=True)
class BinaryAnswer:
    """An answer that is a file, not JSON."""

    content: bytes
    content_type: str
    filename: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Json | BinaryAnswer
ApiFunction = Callable[[Platform, ApiCall], Answer]

APP = frozenset({"app"})
KF = frozenset({"kf", "app"})  # a self-built app listed under 可调用接口的应用 may call kf (51165)
ARCHIVE = frozenset({"archive"})
ANY = frozenset({"app", "kf", "archive"})
NO_TOKEN: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An API function with the apps whose token it accepts; none means that it takes no token."""

    function: ApiFunction
    apps: frozenset[str]


def ok(**fields: object) -> Json:
    """Return a successful answer with further fields."""
    return {"errcode": 0, "errmsg": "ok", **fields}
