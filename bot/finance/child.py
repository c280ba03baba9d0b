"""What runs in the child process: load the library, log in, answer one question after the other.

    python -m bot.finance.child

The first question is `open`, with everything the library needs, the secret too: it comes through the pipe and is never
in the arguments or the environment. The library may print what it likes: the pipe of the answers is moved out of its
way. When the service dies, standing input ends and the child goes at once, even from the middle of a call.
"""

import os
import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from bot.finance.frames import (
    LENGTHS,
    RET_BAD_QUESTION,
    RET_NOT_LOADED,
    Frame,
    FrameBroken,
    check_lengths,
    pack_frame,
    parse_head,
)
from bot.finance.library import FinanceSdk, LibraryUnusable, Route, SdkReturned

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Serve until the pipe ends."""
    questions, answers = _take_pipes()
    waiting: queue.Queue[Frame] = queue.Queue()
    threading.Thread(target=_read_all, args=(questions, waiting), daemon=True).start()
    sdk: FinanceSdk | None = None
    while True:
        question = waiting.get()
        if question.head.get("call") == "open":
            sdk, answer = _open(question.head)
        else:
            answer = _answer(sdk, question)
        answers.write(pack_frame(_with_memory(answer)))
        answers.flush()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes under other numbers, and give 0 and 1 to whatever the library does with them."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return questions, answers


def _read_all(questions: BinaryIO, waiting: "queue.Queue[Frame]") -> None:
    """Read questions in a thread of its own, so that the end of the service is noticed during a call, too."""
    try:
        while True:
            waiting.put(_read_frame(questions))
    finally:
        os._exit(0)


def _read_frame(stream: BinaryIO) -> Frame:
    head_length, body_length = LENGTHS.unpack(_read_exactly(stream, LENGTHS.size))
    check_lengths(head_length, body_length)
    return Frame(parse_head(_read_exactly(stream, head_length)), _read_exactly(stream, body_length))


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise FrameBroken("the pipe has ended")
    return data


def _open(head: Mapping[str, Any]) -> tuple[FinanceSdk | None, Frame]:
    try:
        route = Route(head["proxy"], head["passwd"], head["timeout_seconds"])
        return FinanceSdk(head["path"], head["corp_id"], head["secret"], route), Frame({"ret": 0})
    except LibraryUnusable as error:
        return None, Frame({"ret": RET_NOT_LOADED, "reason": str(error)[:500]})
    except SdkReturned as returned:
        return None, Frame({"ret": returned.ret})


def _answer(sdk: FinanceSdk | None, question: Frame) -> Frame:
    if sdk is None:
        return Frame({"ret": RET_NOT_LOADED, "reason": "the library is not open"})
    head = question.head
    try:
        match head.get("call"):
            case "chat_data":
                return Frame({"ret": 0}, sdk.chat_data(head["seq"], head["limit"]))
            case "decrypt":
                return Frame({"ret": 0}, sdk.decrypt(head["key"], question.body.decode()))
            case "media":
                part = sdk.media_part(head["file_id"], head["index"])
                return Frame({"ret": 0, "index": part.index.decode("latin-1"), "finished": part.finished}, part.data)
            case _:
                return Frame({"ret": RET_BAD_QUESTION})
    except SdkReturned as returned:
        return Frame({"ret": returned.ret})


def _with_memory(answer: Frame) -> Frame:
    """Add how much memory the process holds now, so that the service can replace one that grows."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # not on Linux: a leak is then limited by the number of calls alone
        pages = 0
    return Frame({**answer.head, "memory_bytes": pages * _PAGE_BYTES}, answer.body)


if __name__ == "__main__":
    main()
