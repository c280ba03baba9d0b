"""One record: who said it, where, when, and what it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.wecom.archived.bodies import ArchivedBody


@dataclass(frozen=True, slots=True)
class ArchiveRecord:
    """A decrypted record.

    `action` is send, recall or switch. `msgtype` is the platform's name of the kind; `revoke` for every recall and
    `switch` for a change of corp, which has none. `sent_at` is exact to the millisecond, `None` when it was unreadable.
    Ids of `sender` and `receivers`: a member's userid, `wm…` a WeChat customer, `wo…` a member of another corp, `wb…`
    a robot. `raw` is the record as it came.
    """

    msgid: str
    action: str
    sender: str
    receivers: tuple[str, ...]
    room_id: str | None
    sent_at: datetime | None
    msgtype: str
    body: ArchivedBody
    raw: Mapping[str, Any]

    @property
    def is_external(self) -> bool:
        """Tell whether persons outside of the corp take part; the id says it."""
        return self.msgid.endswith("_external")
