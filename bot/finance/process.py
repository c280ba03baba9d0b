"""Keep the child that holds the library: start it, ask it one thing at a time, end it when it misbehaves.

A child that dies, does not answer in time, breaks the protocol or has grown too large is replaced; the next one starts
after a wait that grows with every failure in a row. Nothing here knows what the answers mean.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from bot.finance.frames import LENGTHS, Frame, FrameBroken, check_lengths, pack_frame, parse_head

log = structlog.get_logger(__name__)

# Seconds before the next start after the first, second … failure in a row.
RESTART_WAITS = (0.0, 1.0, 5.0, 30.0, 60.0)
# What a fresh process needs to import and to load the library.
START_SECONDS = 30.0
_OWN_PREFIX = "RMBOT_"


class ChildLost(Exception):
    """The child died, hung, or is not to be started yet. `reason` is a key: died, hung, garbled, waiting, no_start."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the archive library's process is not available: {reason}")
        self.reason = reason


class OpenRefused(Exception):
    """The library is there but did not open; `ret` is its return value, or RET_NOT_LOADED with a `reason`."""

    def __init__(self, ret: int, reason: str) -> None:
        super().__init__(f"the archive library did not open (return value {ret}): {reason}")
        self.ret = ret
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """When a child is given up: seconds for one answer, bytes of memory, answers given."""

    call_seconds: float = 30.0
    memory_bytes: int = 512 * 1024 * 1024
    answers: int = 1_000_000


class LibraryProcess:
    """The child, whichever it is just now. Questions queue: the library is asked one thing at a time."""

    def __init__(self, opening: Mapping[str, Any], limits: ChildLimits) -> None:
        self._opening = opening
        self._limits = limits
        self._turn = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._answers = 0
        self._failures = 0
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """The process id of the living child; `None` before the first question and between two."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def ask(self, question: Frame) -> Frame:
        """Return the child's answer.

        Raises:
            ChildLost: no answer; the question may be asked again.
            OpenRefused: the library cannot be used as it is configured.
        """
        async with self._turn:
            child = self._child or await self._start()
            answer = await self._exchange(child, question, self._limits.call_seconds)
            self._failures = 0
            self._answers += 1
            memory = int(answer.head.get("memory_bytes", 0))
            if memory > self._limits.memory_bytes or self._answers >= self._limits.answers:
                log.warning("archive_library_replaced", action="archive_library_replaced", bytes=memory)
                await self._end()
            return answer

    async def close(self) -> None:
        """End the child. A later question would start another."""
        async with self._turn:
            await self._end()

    async def _start(self) -> asyncio.subprocess.Process:
        if asyncio.get_running_loop().time() < self._not_before:
            raise ChildLost("waiting")
        try:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot.finance.child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # what the library says about itself may quote messages
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            self._note_failure()
            raise ChildLost("no_start") from error
        self._answers = 0
        answer = await self._exchange(self._child, Frame(self._opening), START_SECONDS)
        if answer.head.get("ret") != 0:
            await self._end()
            self._note_failure()
            raise OpenRefused(int(answer.head.get("ret", -1)), str(answer.head.get("reason", "")))
        return self._child

    async def _exchange(self, child: asyncio.subprocess.Process, question: Frame, seconds: float) -> Frame:
        """Ask and read the answer; whatever goes wrong, also a cancelled caller, costs the child its life."""
        reason = "cancelled"
        answered = False
        try:
            async with asyncio.timeout(seconds):
                answer = await _speak(child, question)
            answered = True
            return answer
        except TimeoutError as error:
            reason = "hung"
            raise ChildLost(reason) from error
        except (asyncio.IncompleteReadError, OSError) as error:
            reason = "died"
            raise ChildLost(reason) from error
        except FrameBroken as error:
            reason = "garbled"
            raise ChildLost(reason) from error
        finally:
            if not answered:
                log.warning("archive_library_lost", action="archive_library_lost", reason=reason)
                self._note_failure()
                await self._end()

    def _note_failure(self) -> None:
        wait = RESTART_WAITS[min(self._failures, len(RESTART_WAITS) - 1)]
        self._failures += 1
        self._not_before = asyncio.get_running_loop().time() + wait

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(ProcessLookupError):
            child.kill()
        if child.stdin is not None:
            child.stdin.close()
            with suppress(OSError):
                await child.stdin.wait_closed()
        await child.wait()


async def _speak(child: asyncio.subprocess.Process, question: Frame) -> Frame:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(pack_frame(question))
    await child.stdin.drain()
    head_length, body_length = LENGTHS.unpack(await child.stdout.readexactly(LENGTHS.size))
    check_lengths(head_length, body_length)
    head = parse_head(await child.stdout.readexactly(head_length))
    return Frame(head, await child.stdout.readexactly(body_length))


def _environment() -> dict[str, str]:
    """Return what the child needs to find our modules, and none of our own settings: secrets may be among them."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_PREFIX)}
    return inherited | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
