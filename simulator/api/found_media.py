"""Which uploaded file a media_id names, and whether it may be used here (04, 4.6)."""

from datetime import timedelta

from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.state import Media

MEDIA_LIFE = timedelta(days=3)


def need_media(platform: Platform, media_id: str, kind: str | None = None, use: str = "") -> Media:
    """Return a living file.

    Raises:
        ApiError: 40007 for an unknown or expired id, one of another kind, or one uploaded for another use.
    """
    media = platform.world.media.find(media_id)
    if media is None or media.created_at + MEDIA_LIFE.total_seconds() < platform.clock.now():
        raise ApiError(40007)
    if kind is not None and media.type != kind:
        raise ApiError(40007, f"invalid media_id: it is of type {media.type}, not {kind}")
    if media.use != use:
        raise ApiError(40007, "invalid media_id: it was uploaded for another use")
    return media


def find_media(platform: Platform, media_id: str, kind: str | None = None) -> str:
    """Return the file name of a living ordinary file, or refuse with 40007."""
    return need_media(platform, media_id, kind).filename
