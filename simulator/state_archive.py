"""The rows of the session archive beside its records: keys, switches, and answers that were asked to be wrong."""

from dataclasses import dataclass, field

RETENTION_DAYS = 5  # at the source; older documents say 3 (06-session-archive.md, 6.3)
MOST_ANSWER_BYTES = 10 * 1024 * 1024  # beyond it 301058; the platform's own limit is not documented


@dataclass(slots=True)
class ArchiveFault:
    """Answer the next `left` calls of `call` ("chatdata", "decrypt", "media") with a return value or an errcode."""

    call: str
    ret: int
    errcode: int
    left: int


@dataclass(slots=True)
class ArchiveCall:
    """One call the library made, as it came; `ret` is what it was told."""

    call: str
    ret: int
    errcode: int
    seq: int
    limit: int
    proxy: str
    passwd: str
    timeout: int


@dataclass(slots=True)
class ArchiveSwitches:
    """How the archive behaves. `keys` holds the public keys (PEM) by version, as rotations have added them.

    `version` is the newest of them, 0 before the first rotation: then the config's key and version count. `calls` are
    the newest calls, oldest first; they are not kept over a restart.
    """

    name: str = "archive"
    trusted_ip: bool = True
    retention_days: int = RETENTION_DAYS
    most_bytes: int = MOST_ANSWER_BYTES
    keys: dict[int, str] = field(default_factory=dict)
    version: int = 0
    faults: list[ArchiveFault] = field(default_factory=list)
    calls: list[ArchiveCall] = field(default_factory=list)
