"""Our own browser files, kept in memory with a hash in their address, so that browsers may keep them for ever."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent."""

    body: bytes
    zipped: bytes
    media_type: str


class StaticFiles:
    """All files of the folder, read once."""

    def __init__(self) -> None:
        self._files = {path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
        digest = hashlib.sha256()
        for name, file in self._files.items():
            digest.update(name.encode() + b"\0" + file.body)
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Return the address of a file.

        Raises:
            KeyError: there is no such file; a template names it wrongly.
        """
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    def respond(self, request: Request, version: str, name: str) -> Response:
        """Answer a request for a file; an address of another version is answered, but not kept."""
        file = self._files.get(name)
        if file is None:
            return Response(status_code=404)
        keep = "public, max-age=31536000, immutable" if version == self.version else "no-cache"
        headers = {"Cache-Control": keep, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.zipped, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(file.body, media_type=file.media_type, headers=headers)


def _read(path: Path) -> StaticFile:
    body = path.read_bytes()
    return StaticFile(body, gzip.compress(body, 9, mtime=0), _TYPES[path.suffix])
