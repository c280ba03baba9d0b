"""The one way an API call is refused: an errcode with a message, HTTP 200 around it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


class ApiError(Exception):
    """A documented refusal; `errmsg` defaults to the meaning in data/errcodes.json."""

    def __init__(self, errcode: int, errmsg: str | None = None) -> None:
        super().__init__(errcode, errmsg)
        self.errcode = errcode
        self.errmsg = errmsg or meanings().get(errcode, "refused")

    def answer(self) -> dict[str, Any]:
        """Return the JSON body of the refusal."""
        return {"errcode": self.errcode, "errmsg": self.errmsg}


@cache
def meanings() -> dict[int, str]:
    """Return the meaning of every documented errcode."""
    codes = json.loads((DATA / "errcodes.json").read_text(encoding="utf-8"))["codes"]
    return {row["code"]: row["meaning"] for row in codes}


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Return the dossier's catalogue: `METHOD /path` to the key trees of request and answer."""
    apis = json.loads((DATA / "api_catalog.json").read_text(encoding="utf-8"))["apis"]
    return {row["api"]: row for row in apis}


@cache
def catalogued_apis() -> frozenset[str]:
    """Return the `METHOD /path` of every API the catalogue lists."""
    return frozenset(catalogue())
