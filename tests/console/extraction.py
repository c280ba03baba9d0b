"""Find every text of the catalogue in the console's templates and code."""

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_dir

import console

ROOT = Path(console.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
_METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
_OPTIONS = {"**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "newstyle_gettext": "true", "silent": "false"}}


def iter_messages() -> Iterator[str]:
    """Yield the message ids, each once, in the order of the files."""
    seen: set[str] = set()
    found = extract_from_dir(
        ROOT, _METHODS, _OPTIONS, keywords={"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
    )
    for _file, _line, message, _comments, _context in found:
        for text in message if isinstance(message, tuple) else (message,):
            if text and CHINESE.search(text) and text not in seen:
                seen.add(text)
                yield text
