"""Charts as SVG, drawn on the server: no inline style, colours by class, text by the browser, a table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_ROW, _BAR, _LEFT, _RIGHT, _WIDTH = 34, 20, 130, 90, 640


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One stage: its name as shown, and how many came so far."""

    name: str
    count: int


def draw_funnel(title: str, steps: Sequence[FunnelStep], table_title: str) -> Markup:
    """Return bars under each other, each as long as its share of the first, with count and percentage."""
    most = max([step.count for step in steps], default=0) or 1
    room = _WIDTH - _LEFT - _RIGHT
    rows = []
    for index, step in enumerate(steps):
        y = index * _ROW
        width = round(room * step.count / most, 1)
        share = f"{step.count / most:.0%}"
        tip = escape(f"{step.name}: {step.count} ({share})")
        rows.append(
            f'<g data-tip="{tip}"><text x="0" y="{y + 19}">{escape(step.name)}</text>'
            f'<rect class="rail" x="{_LEFT}" y="{y + 5}" width="{room}" height="{_BAR}" rx="3"/>'
            f'<rect class="bar b{min(index, 3)}" x="{_LEFT}" y="{y + 5}" width="{width}" height="{_BAR}" rx="3"/>'
            f'<text class="value" x="{_LEFT + room + 10}" y="{y + 19}">{step.count}</text>'
            f'<text x="{_LEFT + room + 46}" y="{y + 19}">{share}</text></g>'
        )
    words = escape("; ".join(f"{step.name} {step.count}" for step in steps))
    cells = "".join(f"<tr><td>{escape(s.name)}</td><td class='num'>{s.count}</td></tr>" for s in steps)
    return Markup(  # noqa: S704  every part that is not ours went through escape
        f'<figure><svg class="chart" viewBox="0 0 {_WIDTH} {len(steps) * _ROW}" role="img">'
        f"<title>{escape(title)}</title><desc>{words}</desc>{''.join(rows)}</svg>"
        f'<details><summary class="small">{escape(table_title)}</summary>'
        f'<table class="table"><tbody>{cells}</tbody></table></details></figure>'
    )
