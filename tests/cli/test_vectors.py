"""`rmbot wecom vectors` checks every known answer of a file, and says clearly what is wrong with it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.commands.wecom_vectors import VectorFileUnreadable, check_vectors, read_vectors, vectors_table

FILE = Path(__file__).parents[1] / "fixtures/wecom/vectors.json"
Document = dict[str, Any]


def _run(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.cli", "wecom", "vectors", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


def _changed(folder: Path, change: Callable[[Document], object]) -> Path:
    document = json.loads(FILE.read_text())
    change(document)
    path = folder / "vectors.json"
    path.write_text(json.dumps(document))
    return path


def _problems(path: Path) -> dict[str, str]:
    return {check.id: check.problem for check in check_vectors(read_vectors(path)) if check.problem}


def test_the_shipped_vectors_are_all_right() -> None:
    done = _run(FILE)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[-1] == "21 vectors, 0 wrong"
    assert sum(line.endswith("ok") for line in lines) == 21


def test_one_wrong_answer_fails_the_command_and_is_named(tmp_path: Path) -> None:
    done = _run(_changed(tmp_path, lambda vectors: vectors["jssdk"][0].update(signature="0" * 40)))
    assert done.returncode == 1
    assert "jssdk-config-signature           the signature is another" in done.stdout
    assert done.stdout.splitlines()[-1] == "21 vectors, 1 wrong"


@pytest.mark.parametrize(
    ("section", "number", "values", "words"),
    [
        ("callback", 0, {"msg_signature": "0" * 40}, "signature does not fit"),
        ("callback", 0, {"plaintext": "<xml/>"}, "decrypts to something else"),
        ("callback", 0, {"random_hex": "00" * 16}, "encrypts to something else"),
        ("callback", 0, {"random_hex": "zz"}, "not hexadecimal"),
        ("callback", 0, {"receive_id": "ww0"}, "another receiver"),
        ("callback", 0, {"pkcs7_pad_len": 1}, "padding is 30 bytes, not 1"),
        ("callback", 0, {"encoding_aes_key": "short"}, "43 letters and digits"),
        ("callback", 0, {"ciphertext": 7}, "ciphertext is missing or not a text"),
        ("callback", 0, {"token": "\ud800"}, "not UTF-8"),
        ("callback", 1, {"raw_query": "echostr=x"}, "echostr in raw_query"),
        ("signature_only", 0, {"msg_signature": "0" * 40}, "the signature is another"),
        ("media", 0, {"plaintext_base64": "AAAA"}, "decrypts to something else"),
        ("media", 0, {"plaintext_base64": "#"}, "not base64"),
        ("media", 0, {"encrypted_base64": "AAAA"}, "whole number of blocks"),
        ("negative", 0, {"base": "nowhere"}, "no callback vector nowhere"),
        ("negative", 0, {"change": "nonce"}, "change must be an object"),
        ("negative", 0, {"change": {}}, "found: accepted"),
        ("negative", 1, {"expect": "decrypt failed"}, "found: signature mismatch"),
        ("negative", 2, {"expect": "signature mismatch"}, "found: receive id mismatch"),
    ],
)
def test_each_kind_of_wrong_answer_says_what_is_wrong(
    tmp_path: Path, section: str, number: int, values: Document, words: str
) -> None:
    name = json.loads(FILE.read_text())[section][number]["id"]
    problems = _problems(_changed(tmp_path, lambda vectors: vectors[section][number].update(values)))
    assert words in problems[name]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "must hold one JSON object"),
        ("{}", "holds no vectors"),
        ('{"callback": []}', "holds no vectors"),
        ('{"callback": {}}', "callback must be a list of objects"),
        ('{"media": ["x"]}', "media must be a list of objects"),
    ],
)
def test_a_file_that_holds_no_vectors_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "v.json"
    path.write_text(text)
    with pytest.raises(VectorFileUnreadable, match=words):
        read_vectors(path)


def test_a_file_that_is_not_there_ends_with_one_clear_line(tmp_path: Path) -> None:
    done = _run(tmp_path / "none.json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("rmbot: ")
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_entry_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_text('{"jssdk": [{}]}')
    checks = check_vectors(read_vectors(path))
    assert [check.id for check in checks] == ["#1"]
    assert vectors_table(checks).splitlines() == [
        "jssdk  #1  jsapi_ticket is missing or not a text",
        "1 vectors, 1 wrong",
    ]
