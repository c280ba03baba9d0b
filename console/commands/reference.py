"""Reference pages made from the code, so that they cannot disagree with it."""

from typing import Any

from pydantic import SecretStr

from console.settings import iter_keys


def settings_table() -> str:
    """Return a Markdown table of every setting: name, default, meaning."""
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, field in iter_keys():
        lines.append(f"| `{name}` | {_default(field)} | {field.description or ''} |")
    return "\n".join(lines)


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        return "(secret)"
    text = str(value)
    return f"`{text}`" if text else "(empty)"
