"""Spoilt envelopes, bodies, frames, items and records against the code that reads them at the edge.

    python -m bench.fuzz --count 200000 --seed 1 [--minutes 30] [--family kf] [--replay 1234]

An input may become an event or be refused with a CallbackError (for the compliance archive: RecordMalformed). Anything
else is a crash. More than 50 ms is a hang, if three more tries of the same input need more than 50 ms of processor
time each (reading neither waits nor sleeps, so the rest was the machine's); more memory than a fixed multiple of the
input is a leak. Every input is made from its seed and number alone, so `--replay NUMBER` shows one again. Exits 1 on a
finding.
"""

import argparse
import base64
import json
import resource
import signal
import sys
import time
import traceback
import tracemalloc
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePath
from random import Random
from types import FrameType
from typing import Any

from bench.mutations import mutate
from bench.report import finish
from bot.aibot.frames import parse_frame
from bot.doors.readers import AiBotReader, AppReader, kf_row, read_event
from bot.errors import CallbackError, CallbackTooLarge
from bot.events import Event
from bot.inbox.models import InboxRow, NewInboxRow
from bot.kf.items import read_fact
from bot.settings import EdgeSettings
from bot.webhook import CallbackReader, parse_query
from bot.wecom.archived import media_of, parse_archived, plain_text
from bot.wecom.crypto import CallbackCrypto
from compliance.archive import storable_json
from compliance.errors import RecordMalformed
from compliance.records import parse_record
from console.commands.wecom import Family, decode

FIXTURES = Path(__file__).parents[1] / "tests/fixtures/wecom"
MAX_BYTES = EdgeSettings().max_bytes
SLOW_SECONDS = 0.050
STUCK_SECONDS = 10
NOW = datetime(2026, 1, 1, tzinfo=UTC)
# What reading an input may need at its peak: trees of small Python objects are large beside their text.
PEAK_FLOOR_BYTES = 8 * 1024 * 1024
PEAK_FACTOR = 80
# By how much the process may grow over the whole run, after the first thousand inputs.
GROWTH_BYTES = 256 * 1024 * 1024

_LARGE_BYTES = 100_000

_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
_TOKEN = "QDG6eK"
_APP_CRYPTO = CallbackCrypto(_TOKEN, _KEY, "ww0000000000000001")
_BOT_CRYPTO = CallbackCrypto(_TOKEN, _KEY, "")

Target = Callable[[bytes], object]
Maker = Callable[[Random], bytes]


class Stuck(BaseException):
    """The alarm rang: the input has not been read within seconds."""


@dataclass
class Tally:
    """What became of the inputs of one family."""

    read: int = 0
    crashes: int = 0
    hangs: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    peak_bytes: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """Return how many there were."""
        return self.read + sum(self.refused.values()) + self.crashes


# --- the code under test: what happens to a request after the socket ---


def _take(reader: CallbackReader, crypto: CallbackCrypto, request: bytes) -> object:
    """Do what the edge does with a request: query string, size, envelope, signature, cipher, row, event."""
    raw_query, _, body = request.partition(b"\n")
    query = parse_query(raw_query)
    if len(body) > MAX_BYTES:
        raise CallbackTooLarge("as the edge says")
    ciphertext = reader.ciphertext(body)
    crypto.verify(query.get("msg_signature", ""), query.get("timestamp", ""), query.get("nonce", ""), ciphertext)
    return _again(reader.row(crypto.decrypt(ciphertext), NOW))


def _again(new: NewInboxRow) -> Event:
    """Read the stored row as the worker does; what a database would not take must not get this far."""
    for stored in (new.dedupe_key, new.conversation, new.event_type, new.body):
        stored.encode()
    assert "\x00" not in new.dedupe_key + new.conversation
    assert max(len(new.dedupe_key.encode()), len(new.conversation.encode())) < 2_000, "too long for an index"
    row = InboxRow(
        source=new.source,
        dedupe_key=new.dedupe_key,
        conversation=new.conversation,
        event_type=new.event_type,
        body=new.body,
        received_at=NOW,
    )
    event = read_event(row)
    assert type(event).__name__ == new.event_type, "the row reads as another event"
    return event


def _limited(body: bytes) -> bytes:
    if len(body) > MAX_BYTES:
        raise CallbackTooLarge("as the edge says")
    return body


def take_app(body: bytes) -> object:
    """Read a decrypted app callback."""
    return _again(AppReader().row(_limited(body), NOW))


def take_aibot(body: bytes) -> object:
    """Read a decrypted AI bot callback."""
    return _again(AiBotReader().row(_limited(body), NOW))


def take_frame(body: bytes) -> object:
    """Read a frame of the long connection as it comes from the socket, then its body."""
    frame = parse_frame(_limited(body))
    inner = json.dumps(frame.body, ensure_ascii=False).encode("utf-8", "replace")
    return _again(AiBotReader().row(inner, NOW))


def take_kf(body: bytes) -> object:
    """Read a pulled item: the HTTP client has made it an object already."""
    try:
        item = json.loads(_limited(body))
    except (ValueError, RecursionError) as error:  # the client's own refusal
        raise CallbackError("no JSON") from error
    if not isinstance(item, dict):
        raise CallbackError("no object")
    row = kf_row(item, "wkEXAMPLE", NOW)
    read_fact(item, "wkEXAMPLE", NOW)
    return _again(row)


def take_archived(body: bytes) -> object:
    """Read a decrypted record, and find its words and files."""
    record = parse_archived(_limited(body))
    return plain_text(record), media_of(record)


def keep_archived(body: bytes) -> object:
    """Make a decrypted record a message to be kept."""
    message = parse_record(_limited(body).decode("utf-8", "replace"))
    return message.text, storable_json(message.raw)


def tell(body: bytes) -> object:
    """Tell what a body is as the command line does; a family for each length, so that all get their share."""
    families = list(Family)
    return decode(families[len(body) % len(families)], _limited(body)).encode()


# --- the inputs ---


def bodies_of(family: str) -> list[bytes]:
    """Return the fixtures of a family, those that expect something left out."""
    paths = sorted((FIXTURES / family).iterdir())
    return [path.read_bytes() for path in paths if not path.name.endswith(".expected.json")]


def _plain(family: str) -> Maker:
    bodies = bodies_of(family)
    return lambda chance: mutate(chance, chance.choice(bodies), bodies)


def _any_body(chance: Random) -> bytes:
    return FAMILIES[chance.choice(("app", "aibot", "aibot frame", "kf", "archive"))][0](chance)


def _frames(chance: Random) -> bytes:
    body = chance.choice(_BOT_BODIES)
    command = chance.choice(("aibot_msg_callback", "aibot_event_callback", "", "ping"))
    frame = b'{"cmd": "%b", "headers": {"req_id": "r1"}, "errcode": 0, "body": %b}' % (command.encode(), body.strip())
    return mutate(chance, frame, _BOT_BODIES)


def _envelopes(family: str, crypto: CallbackCrypto, form: str) -> Maker:
    """Spoil a request at one of its layers: the query, the envelope, the ciphertext, the padded text, the message."""
    bodies = bodies_of(family)

    def make(chance: Random) -> bytes:
        layer = chance.choice(("query", "envelope", "envelope", "ciphertext", "padded", "message", "message"))
        message = chance.choice(bodies)
        if layer == "message":
            message = mutate(chance, message, bodies)
        ciphertext = crypto.encrypt(message, chance.randbytes(16))
        if layer == "ciphertext":
            ciphertext = mutate(chance, ciphertext.encode(), []).decode("latin-1")
        elif layer == "padded":
            blocks = bytearray(base64.b64decode(ciphertext))
            blocks[chance.randrange(len(blocks))] ^= chance.randint(1, 255)
            ciphertext = base64.b64encode(blocks[: chance.randint(1, len(blocks) // 16) * 16]).decode()
        query = _query(crypto, ciphertext)
        envelope = (form % ciphertext).encode()
        if layer == "query":
            query = mutate(chance, query, [])
        elif layer == "envelope":
            envelope = mutate(chance, envelope, [])
        return query.replace(b"\n", b"") + b"\n" + envelope

    return make


def _query(crypto: CallbackCrypto, ciphertext: str) -> bytes:
    signed = crypto.sign("1767225600", "nonce", ciphertext)
    return f"msg_signature={signed}&timestamp=1767225600&nonce=nonce".encode()


_BOT_BODIES = bodies_of("aibot")
_XML_ENVELOPE = "<xml><ToUserName>ww0000000000000001</ToUserName><Encrypt><![CDATA[%s]]></Encrypt></xml>"
FAMILIES: Mapping[str, tuple[Maker, Target]] = {
    "app envelope": (
        _envelopes("app", _APP_CRYPTO, _XML_ENVELOPE),
        lambda request: _take(AppReader(), _APP_CRYPTO, request),
    ),
    "aibot envelope": (
        _envelopes("aibot", _BOT_CRYPTO, '{"encrypt": "%s"}'),
        lambda request: _take(AiBotReader(), _BOT_CRYPTO, request),
    ),
    "app": (_plain("app"), take_app),
    "aibot": (_plain("aibot"), take_aibot),
    "aibot frame": (_frames, take_frame),
    "kf": (_plain("kf"), take_kf),
    "archive": (_plain("archive"), take_archived),
    "archive kept": (_plain("archive"), keep_archived),
    "command line": (_any_body, tell),
}


def make_input(seed: int, number: int, families: Sequence[str] = tuple(FAMILIES)) -> tuple[str, bytes]:
    """Return the family and the bytes of one input of a run."""
    family = families[number % len(families)]
    return family, FAMILIES[family][0](Random(f"{seed}:{number}:{family}"))


# --- judging ---


def judge(family: str, number: int, body: bytes, tally: Tally) -> None:
    """Give one input to its target and write down what became of it."""
    target = FAMILIES[family][1]
    seconds, outcome = _timed(target, body)
    if isinstance(outcome, CallbackError | RecordMalformed):
        tally.refused[getattr(outcome, "code", type(outcome).__name__)] += 1
    elif isinstance(outcome, BaseException):
        tally.crashes += 1
        tally.findings.append(f"{family} #{number}: CRASH {_told(outcome)} on {_shown(body)}")
        return
    else:
        tally.read += 1
    if seconds > SLOW_SECONDS:
        seconds = min(seconds, *(_processor_seconds(target, body) for _ in range(3)))
    if seconds > SLOW_SECONDS:
        tally.hangs += 1
        tally.findings.append(f"{family} #{number}: HANG {seconds * 1000:.0f} ms on {_shown(body)}")
    tally.slowest_seconds = max(tally.slowest_seconds, seconds)


def _processor_seconds(target: Target, body: bytes) -> float:
    begun = time.thread_time()
    _timed(target, body)
    return time.thread_time() - begun


def _timed(target: Target, body: bytes) -> tuple[float, object]:
    begun = time.perf_counter()
    outcome: object
    try:
        outcome = target(body)
    except (Exception, Stuck) as error:
        outcome = error
    return time.perf_counter() - begun, outcome


def _told(error: BaseException) -> str:
    """Return the error with its innermost places; the input is synthetic, so its words may be shown."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " > ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__}({str(error)[:120]!r}) at {places}"


def _shown(body: bytes) -> str:
    return f"{len(body)} bytes {body[:160]!r}"


def measure_peak(family: str, number: int, body: bytes, tally: Tally) -> None:
    """Look at the memory one input needs at its peak. Slow: for a sample, and for large inputs."""
    tracemalloc.start()
    _timed(FAMILIES[family][1], body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    tally.peak_bytes = max(tally.peak_bytes, peak)
    if peak > PEAK_FLOOR_BYTES + PEAK_FACTOR * len(body):
        tally.findings.append(f"{family} #{number}: MEMORY {peak >> 20} MiB for {_shown(body)}")


def _rss_bytes() -> int:
    """Return the most memory the process has had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def run(seed: int, count: int, minutes: float | None, families: Sequence[str]) -> tuple[dict[str, Tally], int]:
    """Judge inputs until `count` or the time is used up; returns the tallies, and how many bytes the process grew."""
    tallies = {family: Tally() for family in families}
    ends = time.monotonic() + minutes * 60 if minutes else None
    settled = 0
    for number in range(count):
        if ends and time.monotonic() > ends:
            break
        family, body = make_input(seed, number, families)
        signal.alarm(STUCK_SECONDS)
        judge(family, number, body, tallies[family])
        if number % 97 == 0 or (len(body) > _LARGE_BYTES and number % 11 == 0):
            measure_peak(family, number, body, tallies[family])
        signal.alarm(0)
        if number == min(1_000, count - 1):
            settled = _rss_bytes()
        if number and number % 20_000 == 0:
            print(f"{number} inputs …", file=sys.stderr, flush=True)
    return tallies, _rss_bytes() - settled


def _ring(_: int, __: FrameType | None) -> None:
    raise Stuck(f"not read within {STUCK_SECONDS} s")


def main() -> None:
    """Fuzz and print."""
    options = _options()
    families = [name for name in FAMILIES if options.family in (None, name)]
    signal.signal(signal.SIGALRM, _ring)
    if options.replay is not None:
        _replay(options.seed, options.replay, families)
        return
    begun = time.monotonic()
    tallies, grown = run(options.seed, options.count, options.minutes, families)
    findings = [finding for tally in tallies.values() for finding in tally.findings]
    if grown > GROWTH_BYTES:
        findings.append(f"MEMORY the process grew by {grown >> 20} MiB")
    _print(tallies, grown, time.monotonic() - begun)
    for finding in findings[:50]:
        print(finding)
    figures = {"seed": options.seed, "inputs": sum(tally.inputs for tally in tallies.values())}
    finish("fuzz", figures | {"findings": len(findings), "grown_mib": grown >> 20, "families": _figures(tallies)})
    sys.exit(1 if findings else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200_000, help="how many inputs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="stop after this time, whatever is left")
    parser.add_argument("--family", choices=list(FAMILIES), help="only this one")
    parser.add_argument("--replay", type=int, metavar="NUMBER", help="show one input of the run again")
    return parser.parse_args()


def _replay(seed: int, number: int, families: Sequence[str]) -> None:
    family, body = make_input(seed, number, families)
    print(f"{family} #{number}: {len(body)} bytes\n{body[:4000]!r}")
    print(f"{FAMILIES[family][1](body)!r}"[:2000])


def _print(tallies: Mapping[str, Tally], grown: int, seconds: float) -> None:
    counted = f"{'inputs':>9}{'read':>9}{'refused':>9}{'crashes':>9}{'hangs':>7}"
    print(f"{'family':<15}{counted}{'slowest ms':>12}{'peak MiB':>10}")
    for family, tally in tallies.items():
        refused = sum(tally.refused.values())
        slowest, peak = tally.slowest_seconds * 1000, tally.peak_bytes / (1 << 20)
        counts = f"{tally.inputs:>9}{tally.read:>9}{refused:>9}{tally.crashes:>9}{tally.hangs:>7}"
        print(f"{family:<15}{counts}{slowest:>12.1f}{peak:>10.1f}")
    print(f"{sum(tally.inputs for tally in tallies.values())} inputs in {seconds:.0f} s; grown by {grown >> 20} MiB")


def _figures(tallies: Mapping[str, Tally]) -> dict[str, Any]:
    return {
        family: {
            "inputs": tally.inputs,
            "read": tally.read,
            "refused": dict(tally.refused),
            "crashes": tally.crashes,
            "hangs": tally.hangs,
            "slowest_ms": round(tally.slowest_seconds * 1000, 2),
            "peak_mib": round(tally.peak_bytes / (1 << 20), 2),
        }
        for family, tally in tallies.items()
    }


if __name__ == "__main__":
    main()
