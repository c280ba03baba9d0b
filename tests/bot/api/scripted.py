"""A platform that gives prepared answers in order and keeps what it was asked."""

from collections.abc import Mapping
from typing import Any


class ScriptedPlatform:
    """Implements `PlatformCalls`. An answer that is an error is raised."""

    def __init__(self, *answers: Mapping[str, Any] | Exception) -> None:
        self._answers = list(answers)
        self.bodies: list[Mapping[str, Any]] = []
        self.apps: set[str] = set()

    async def call(
        self,
        api: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        app: str = "app",
    ) -> dict[str, Any]:
        """Give the next answer."""
        assert api.split(maxsplit=1)[0] in ("GET", "POST")
        self.bodies.append({**(body or {}), **(params or {})})
        self.apps.add(app)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)
