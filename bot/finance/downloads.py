"""Fetch a whole file of the archive: part after part, resumed where a stopped download was, checked in the end.

Beside the target stand `NAME.part` with what has come and `NAME.part.json` with the index that asks for the next part.
The note is written after the bytes it speaks of are on the disk, so a crash costs at most one part. Ids expire at the
source after days: download at once (06-session-archive.md, 6.3).
"""

import asyncio
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from bot.errors import PlatformError
from bot.wecom.archive import MediaSource

MOST_FILE_BYTES = 1024 * 1024 * 1024
_READ_BYTES = 1024 * 1024
# From the beginning once more when the sum is wrong, then it is given up.
_ATTEMPTS = 2


class MediaCorrupt(PlatformError):
    """The file's MD5 is not the one the record tells, also on the second try."""

    code = "archive.media_corrupt"


@dataclass(frozen=True, slots=True)
class DownloadedFile:
    """A file that is whole."""

    path: Path
    size_bytes: int
    md5sum: str


async def download_file(
    source: MediaSource, file_id: str, target: Path, md5sum: str | None = None, most_bytes: int = MOST_FILE_BYTES
) -> DownloadedFile:
    """Download a file to `target`, whose directory exists; a file that is there is replaced when the new one is whole.

    Raises:
        MediaCorrupt: it does not have the MD5 `md5sum`; nothing is left of it.
        PlatformError: the source refuses or does not answer (what has come stays for the next try), the file is larger
            than `most_bytes`, or the source goes round in circles.
    """
    for _ in range(_ATTEMPTS):
        done = await _Download(source, file_id, target, most_bytes).run()
        if md5sum is None or done.md5sum == md5sum.lower():
            await asyncio.to_thread(_finish, target)
            return done
        await asyncio.to_thread(_forget, target)
    raise MediaCorrupt("media", -1, "the file's MD5 is not the one in the record")


class _Download:
    def __init__(self, source: MediaSource, file_id: str, target: Path, most_bytes: int) -> None:
        self._source = source
        self._file_id = file_id
        self._target = target
        self._most_bytes = most_bytes

    async def run(self) -> DownloadedFile:
        index, size, md5 = await asyncio.to_thread(_resume, self._target, self._file_id)
        while True:
            part = await self._source.media(self._file_id, index)
            if not part.finished and (not part.data or part.index == index):
                raise PlatformError("media", -1, "the source gives the same part again and again")
            size += len(part.data)
            if size > self._most_bytes:
                await asyncio.to_thread(_forget, self._target)
                raise PlatformError("media", -1, f"the file is larger than {self._most_bytes} bytes")
            md5.update(part.data)
            index = part.index
            await asyncio.to_thread(_append, self._target, self._file_id, part.data, index, size)
            if part.finished:
                return DownloadedFile(self._target, size, md5.hexdigest())


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _note(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json")


def _resume(target: Path, file_id: str) -> tuple[str, int, "hashlib._Hash"]:
    """Return (index, bytes that are there, their MD5 so far), cutting off what the note does not know of."""
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        note = json.loads(_note(target).read_text(encoding="utf-8"))
        if note["file_id"] != file_id or _part(target).stat().st_size < note["size"]:
            raise ValueError("another file, or less than was noted")
        with _part(target).open("r+b") as file:
            file.truncate(note["size"])
            while block := file.read(_READ_BYTES):
                md5.update(block)
        return note["index"], note["size"], md5
    except (OSError, ValueError, KeyError, TypeError):
        _forget(target)
        return "", 0, hashlib.md5(usedforsecurity=False)


def _append(target: Path, file_id: str, data: bytes, index: str, size: int) -> None:
    with _part(target).open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh = _note(target).with_suffix(".new")
    fresh.write_text(json.dumps({"file_id": file_id, "index": index, "size": size}), encoding="utf-8")
    fresh.replace(_note(target))


def _finish(target: Path) -> None:
    _part(target).replace(target)
    _note(target).unlink(missing_ok=True)


def _forget(target: Path) -> None:
    _part(target).unlink(missing_ok=True)
    _note(target).unlink(missing_ok=True)
