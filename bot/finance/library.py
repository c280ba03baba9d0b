"""The C binding: the documented functions with their types, and every pointer given back (06-session-archive.md, 6.2).

Loaded only in the child. Pointers are 64-bit, so nothing is left to ctypes' default of `int`. Lengths come from
`GetSliceLen` and its sisters: what the library hands out need not end in NUL and may contain it.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
# name: (result, arguments)
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "NewSdk": (_POINTER, []),
    "Init": (_INT, [_POINTER, _TEXT, _TEXT]),
    "DestroySdk": (None, [_POINTER]),
    "GetChatData": (_INT, [_POINTER, ctypes.c_ulonglong, ctypes.c_uint, _TEXT, _TEXT, _INT, _POINTER]),
    "DecryptData": (_INT, [_TEXT, _TEXT, _POINTER]),
    "GetMediaData": (_INT, [_POINTER, _TEXT, _TEXT, _TEXT, _TEXT, _INT, _POINTER]),
    "NewSlice": (_POINTER, []),
    "FreeSlice": (None, [_POINTER]),
    "GetContentFromSlice": (_POINTER, [_POINTER]),
    "GetSliceLen": (_INT, [_POINTER]),
    "NewMediaData": (_POINTER, []),
    "FreeMediaData": (None, [_POINTER]),
    "GetOutIndexBuf": (_POINTER, [_POINTER]),
    "GetIndexLen": (_INT, [_POINTER]),
    "GetData": (_POINTER, [_POINTER]),
    "GetDataLen": (_INT, [_POINTER]),
    "IsMediaDataFinish": (_INT, [_POINTER]),
}

RET_SYSTEM = 10003


class LibraryUnusable(Exception):
    """The file cannot be loaded, or it is not the archive library. The text is the loader's, or names the gap."""


class SdkReturned(Exception):
    """A call returned something other than 0."""

    def __init__(self, ret: int) -> None:
        super().__init__(f"the archive library returned {ret}")
        self.ret = ret


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A part of a file. `index` asks for the next one; `finished` says there is none."""

    index: bytes
    data: bytes
    finished: bool


@dataclass(frozen=True, slots=True)
class Route:
    """How the library goes out: a proxy as `http://host:port` or `socks5://host:port`, its `user:password`, seconds."""

    proxy: str = ""
    passwd: str = ""
    timeout_seconds: int = 10


class FinanceSdk:
    """One handle of the library, logged in. A context manager: the handle is destroyed at the end."""

    def __init__(self, path: str, corp_id: str, secret: str, route: Route) -> None:
        self._c = load_library(path)
        self._route = route
        self._handle: int | None = self._c.NewSdk()
        if not self._handle:
            raise SdkReturned(RET_SYSTEM)
        ret = self._c.Init(self._handle, corp_id.encode(), secret.encode())
        if ret:
            self.close()
            raise SdkReturned(ret)

    def chat_data(self, seq: int, limit: int) -> bytes:
        """Return the JSON of a page after `seq`, with an errcode of its own.

        Raises:
            SdkReturned: the library's return value is not 0.
        """
        route = self._route
        with self._slice() as slice_:
            ret = self._c.GetChatData(
                self._handle, seq, limit, route.proxy.encode(), route.passwd.encode(), route.timeout_seconds, slice_
            )
            return self._content(ret, slice_)

    def decrypt(self, key: str, message: str) -> bytes:
        """Return one record in clear.

        Raises:
            SdkReturned: the library's return value is not 0.
        """
        with self._slice() as slice_:
            return self._content(self._c.DecryptData(key.encode(), message.encode(), slice_), slice_)

    def media_part(self, file_id: str, index: str) -> MediaPart:
        """Return the part of a file that `index` names; the first for an empty one.

        Raises:
            SdkReturned: the library's return value is not 0.
        """
        route = self._route
        media = self._need(self._c.NewMediaData())
        try:
            ret = self._c.GetMediaData(
                self._handle,
                index.encode(),
                file_id.encode(),
                route.proxy.encode(),
                route.passwd.encode(),
                route.timeout_seconds,
                media,
            )
            if ret:
                raise SdkReturned(ret)
            return MediaPart(
                index=_bytes_at(self._c.GetOutIndexBuf(media), self._c.GetIndexLen(media)),
                data=_bytes_at(self._c.GetData(media), self._c.GetDataLen(media)),
                finished=bool(self._c.IsMediaDataFinish(media)),
            )
        finally:
            self._c.FreeMediaData(media)

    def close(self) -> None:
        """Destroy the handle; a second call does nothing."""
        if self._handle:
            self._c.DestroySdk(self._handle)
        self._handle = None

    def __enter__(self) -> "FinanceSdk":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _slice(self) -> Iterator[int]:
        slice_ = self._need(self._c.NewSlice())
        try:
            yield slice_
        finally:
            self._c.FreeSlice(slice_)

    def _need(self, pointer: int | None) -> int:
        if not pointer:
            raise SdkReturned(RET_SYSTEM)
        return pointer

    def _content(self, ret: int, slice_: int) -> bytes:
        if ret:
            raise SdkReturned(ret)
        return _bytes_at(self._c.GetContentFromSlice(slice_), self._c.GetSliceLen(slice_))


def load_library(path: str) -> Any:
    """Load the library and declare its functions.

    Raises:
        LibraryUnusable: no such file, not for this machine, or a function is missing.
    """
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise LibraryUnusable(str(error)) from error
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise LibraryUnusable(f"the library has no function {name}") from error
        function.restype, function.argtypes = result, arguments
    return library


def _bytes_at(pointer: int | None, length: int) -> bytes:
    return ctypes.string_at(pointer, length) if pointer and length > 0 else b""
