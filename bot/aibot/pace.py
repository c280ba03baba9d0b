"""How much may be sent unasked to one chat of the AI bot: 30 in a minute and 1000 in an hour (08-aibot.md, 8.5)."""

from collections import deque
from datetime import datetime, timedelta

from bot.errors import RateLimited

_LIMITED = 846607
_WINDOWS = ((timedelta(minutes=1), 30), (timedelta(hours=1), 1000))


class SendPace:
    """Counts what was sent. In memory: only the node with the connection sends, and what a new leader cannot know the
    platform tells it with 846607.
    """

    def __init__(self) -> None:
        self._sent: dict[str, deque[datetime]] = {}

    def take(self, chat: str, now: datetime) -> None:
        """Count one message to a chat.

        Raises:
            RateLimited: it would be over a limit; it says how long to wait.
        """
        longest = _WINDOWS[-1][0]
        self._sent = {name: times for name, times in self._sent.items() if times[-1] > now - longest}
        sent = self._sent.get(chat, deque())
        for window, most in _WINDOWS:
            if len(sent) >= most and sent[-most] > now - window:
                wait = (sent[-most] + window - now).total_seconds()
                raise RateLimited("aibot_send_msg", _LIMITED, "our own pace", retry_after_seconds=wait)
        sent.append(now)
        while len(sent) > _WINDOWS[-1][1]:
            sent.popleft()
        self._sent[chat] = sent
