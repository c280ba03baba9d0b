"""The watermark: name, staff number and time over every page, so that a photograph of the screen says whose it was."""

from datetime import datetime

from markupsafe import escape

from bot.clock import CHINA


def draw_watermark(name: str, staff_id: str, now: datetime) -> str:
    """Return an SVG to be tiled. Pale on purpose; readable on a photograph, not in the way of reading."""
    words = escape(f"{name} {staff_id} {now.astimezone(CHINA):%m-%d %H:%M}")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="360" height="220" viewBox="0 0 360 220">'
        '<text x="180" y="120" transform="rotate(-20 180 110)" text-anchor="middle" font-size="13" '
        f'font-family="PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif" fill="#7d8796" '
        f'fill-opacity="0.13">{words}</text></svg>'
    )
