"""`rmbot doctor`: what is missing or wrong, and what to do about it, in an administrator's words.

Every check is a line of its own and none stops the others. Secrets are never shown.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.errors import SettingsError
from bot.storage.database import Database
from bot.storage.migrate import current_revision, newest_revision
from bot.texts import Texts, load_texts
from bot.wecom.crypto import decode_key
from compliance import load_keys
from console.commands.doctor_lines import Line, Mark, line
from console.commands.platform_checks import platform_lines, proxy_lines
from console.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All lines as text. `well` says whether the service could work."""

    text: str
    well: bool


async def examine(language: str, *, offline: bool = False) -> Diagnosis:
    """Run all checks that can be run."""
    words = load_texts("console", "en" if language == "en" else "zh")
    try:
        settings = load_settings()
    except SettingsError as error:
        return _write([line(Mark.BAD, "settings_bad", reason=error)], words)
    lines = [line(Mark.OK, "settings_ok")]
    checks: list[Callable[[Settings], Awaitable[Sequence[Line]]]] = [_database, _callback, _public_url, _archive]
    for check in checks:
        lines += await check(settings)
    lines += proxy_lines(settings)
    if not offline:
        lines += await platform_lines(settings, language)
    return _write(lines, words)


def _write(lines: Sequence[Line], words: Texts) -> Diagnosis:
    text = "\n".join(f"{line.mark.value} {words.render('doctor.' + line.key, **line.values)}" for line in lines)
    well = all(line.mark is not Mark.BAD for line in lines)
    return Diagnosis(f"{text}\n{words['doctor.all_well' if well else 'doctor.not_well']}", well)


async def _database(settings: Settings) -> list[Line]:
    kind = settings.storage.url.partition(":")[0]
    try:
        database = await Database.open(settings.storage.url)
    except SettingsError as error:
        return [line(Mark.BAD, "database_bad", kind=kind, reason=error)]
    try:
        have, need = await current_revision(database), newest_revision()
    except Exception as error:  # any driver's own error: name its kind, its text may hold the password
        return [line(Mark.BAD, "database_bad", kind=kind, reason=type(error).__name__)]
    finally:
        await database.close()
    if have != need:
        return [line(Mark.BAD, "database_old", kind=kind, have=have or "-", need=need)]
    return [line(Mark.OK, "database_ok", kind=kind, revision=have)]


async def _callback(settings: Settings) -> list[Line]:
    wecom = settings.wecom
    lines = []
    if not wecom.corp_id.startswith(("ww", "wx")):
        lines.append(line(Mark.BAD, "corp_id_bad", length=len(wecom.corp_id)))
    token = wecom.callback.token.get_secret_value()
    if not token:
        lines.append(line(Mark.BAD, "token_missing"))
    elif len(token) > 32 or not token.isalnum():
        lines.append(line(Mark.BAD, "token_bad", length=len(token)))
    key = wecom.callback.aes_key.get_secret_value()
    try:
        decode_key(key)
    except SettingsError:
        lines.append(line(Mark.BAD, "aes_key_bad", length=len(key)))
    if not wecom.app.secret.get_secret_value() or not wecom.app.agent_id:
        lines.append(line(Mark.BAD, "app_missing"))
    return lines or [line(Mark.OK, "callback_ok")]


async def _public_url(settings: Settings) -> list[Line]:
    url = urlsplit(settings.console.public_url)
    shown = f"{settings.console.public_url.rstrip('/')}/wecom/app"
    if url.scheme not in {"http", "https"} or not url.hostname:
        return [line(Mark.BAD, "public_url_bad", url=settings.console.public_url)]
    lines = [line(Mark.OK, "callback_url", url=shown)]
    if url.scheme == "http" or url.hostname in {"localhost", "127.0.0.1"}:
        lines = [line(Mark.WARN, "public_url_local", url=shown)]
    if len(settings.console.secret_key.get_secret_value()) < 32:
        lines.append(line(Mark.WARN, "secret_key_missing"))
    return lines


async def _archive(settings: Settings) -> list[Line]:
    archive = settings.wecom.archive
    if not (archive.sdk_path or archive.relay_url):
        return [line(Mark.WARN, "archive_off")]
    try:
        keys = load_keys({version: key.get_secret_value() for version, key in archive.private_keys.items()})
    except SettingsError as error:
        return [line(Mark.BAD, "archive_key_bad", reason=error)]
    if not keys:
        return [line(Mark.BAD, "archive_key_missing")]
    return [line(Mark.OK, "archive_ok", versions=", ".join(str(version) for version in sorted(keys)))]
