"""What the tests of plans and broadcasts start from: a bank copied, a gate, and a platform for group sends."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import select

from bot.clock import FrozenClock
from bot.context import GroupSend, Reply
from bot.errors import PlatformError, PlatformUnavailable
from bot.ids import StaffId
from bot.outbox.gate import GateDecision
from bot.outbox.models import OutboxRow, OutboxState
from bot.storage.database import Database, Tx
from customers import sync_everything
from sop.settings import SopSettings
from tests.customers.bank import Bank, a_bank

LI, ZHANG = StaffId("rm001"), StaffId("rm002")
# A Friday, 10:00 in China.
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
QUIET = SopSettings(notify_todos=False)


@dataclass
class Gate:
    """Refuses what holds the word; `checked` remembers who was asked about."""

    word: str = "保本"
    checked: list[Reply] = field(default_factory=list)

    async def check(self, tx: Tx, outgoing: Reply, now: datetime) -> GateDecision:
        """Decide."""
        self.checked.append(outgoing)
        if self.word in outgoing.content.plain_text():
            return GateDecision(False, ({"term": self.word},), "含有禁用语")
        return GateDecision(True)


@dataclass
class Platform(Bank):
    """The bank of the customers' tests, which can also make, confirm and withdraw broadcasts."""

    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOW))
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    dispatching: bool = False
    too_often: bool = False

    def create(self, sender: str, chat_ids: list[str], text: str) -> str:
        """What the outbox sender's call does."""
        msgid = f"msg{len(self.tasks) + 1}"
        self.tasks[msgid] = {
            "sender": sender,
            "chats": chat_ids,
            "text": text,
            "status": 0,
            "at": int(self.clock.now().timestamp()),
            "results": {},
        }
        return msgid

    def confirm(self, msgid: str, **results: int) -> None:
        """The member taps send; `results` are per chat, all sent unless given."""
        task = self.tasks[msgid]
        task["status"] = 2
        task["results"] = results or dict.fromkeys(task["chats"], 1)

    def _task(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.dispatching:
            raise PlatformUnavailable("get_groupmsg", 41063)
        task: dict[str, Any] = self.tasks[body["msgid"]]
        return task

    def _externalcontact_get_groupmsg_list_v2(self, body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        return {
            "group_msg_list": [
                {"msgid": msgid, "create_type": 0, "text": {"content": one["text"]}, "create_time": one["at"]}
                for msgid, one in self.tasks.items()
                if body["start_time"] <= one["at"] <= body["end_time"]
            ]
        }

    def _externalcontact_get_groupmsg_task(self, body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        task = self._task(body)
        if task.get("withdrawn"):
            return {"task_list": []}
        return {"task_list": [{"userid": task["sender"].upper(), "status": task["status"], "send_time": 0}]}

    def _externalcontact_get_groupmsg_send_result(
        self, body: dict[str, Any], _params: dict[str, str]
    ) -> dict[str, Any]:
        task = self._task(body)
        at = int(self.clock.now().timestamp())
        return {
            "send_list": [
                {"userid": task["sender"], "chat_id": chat, "status": status, "send_time": at}
                for chat, status in task["results"].items()
            ]
        }

    def _externalcontact_remind_groupmsg_send(self, body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        if self.too_often:
            raise PlatformError("remind", 41094)
        self._task(body)["reminded"] = True
        return {}

    def _externalcontact_cancel_groupmsg_send(self, body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        task = self._task(body)
        if task.get("confirmed_meanwhile"):
            self.confirm(body["msgid"])
            return {}
        if task.get("withdrawn"):
            raise PlatformError("cancel", 41093)
        task["withdrawn"] = True
        return {}


async def a_platform(db: Database) -> Platform:
    """A platform whose customers and groups have been copied."""
    platform = Platform(**{name: value for name, value in vars(a_bank()).items() if name != "calls"})
    await sync_everything(db, platform, platform.clock)
    return platform


async def send_outbox(db: Database, platform: Platform) -> int:
    """Stand in for the outbox sender: create a task for each queued group send. Returns how many were made."""
    async with db.transaction() as tx:
        rows = (await tx.exec(select(OutboxRow).where(OutboxRow.state == OutboxState.QUEUED))).all()
        made = 0
        for row in rows:
            row.state = OutboxState.SENT
            if row.address_kind == GroupSend.__name__:
                msgid = platform.create(row.address["sender"], row.address["chat_ids"], row.text)
                row.result = {"msgid": msgid, "fail_list": []}
                made += 1
        return made


def later(**step: float) -> datetime:
    """A time after `NOW`."""
    return NOW + timedelta(**step)
