"""The control API of the session archive under /_sim/archive: records of every kind, gaps, repeats, keys, switches."""

import base64
import binascii
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from simulator.archive_desk import add_record, make_body, make_msgid, make_switch, rotate_key, skip_numbers, switches_of
from simulator.crypto import CryptoError
from simulator.platform import Platform, platform_of
from simulator.state import ArchiveRecord, Json
from simulator.state_archive import ArchiveFault

ThePlatform = Annotated[Platform, Depends(platform_of)]
Call = Literal["chatdata", "decrypt", "media"]


class RecordIn(BaseModel):
    """One record. `msgtype` "switch" needs only `sender`; `fields` replace or add fields at the top of the record."""

    model_config = ConfigDict(extra="forbid")

    msgtype: str = Field(min_length=1)
    sender: str = "rm001"
    tolist: list[str] = []
    roomid: str = ""
    body: Json | None = None
    file_base64: str | None = None
    fields: Json = {}
    external: bool = True
    broken: Literal["", "cipher", "key", "random", "json"] = ""


class GapIn(BaseModel):
    """How many numbers to leave out."""

    count: int = Field(ge=1, le=10_000)


class RepeatIn(BaseModel):
    """Which record comes once more under a new number."""

    msgid: str


class KeyIn(BaseModel):
    """The bank's next public key."""

    public_key_pem: str
    publickey_ver: int = Field(ge=1)


class SwitchesIn(BaseModel):
    """What to change; a field left out stays."""

    model_config = ConfigDict(extra="forbid")

    trusted_ip: bool | None = None
    retention_days: int | None = Field(default=None, ge=0)
    most_bytes: int | None = Field(default=None, ge=1)


class FaultIn(BaseModel):
    """A return value of the library, or an errcode in the answer of chatdata, for the next `count` calls."""

    call: Call
    ret: int = 0
    errcode: int = 0
    count: int = Field(default=1, ge=1)


router = APIRouter(prefix="/_sim/archive")


@router.post("/records")
async def add(platform: ThePlatform, record: RecordIn) -> Json:
    """Put a record of any kind into the archive."""
    if record.msgtype == "switch":
        body = make_switch(platform, record.sender)
    else:
        body = make_body(
            platform,
            msgtype=record.msgtype,
            sender=record.sender,
            receivers=record.tolist,
            room_id=record.roomid,
            body=record.body,
            file=_file_of(record),
            external=record.external,
        )
    return _shown(add_record(platform, {**body, **record.fields}, record.broken))


@router.post("/gap")
async def leave_gap(platform: ThePlatform, gap: GapIn) -> Json:
    """Leave numbers out."""
    return {"seq": skip_numbers(platform, gap.count)}


@router.post("/repeat")
async def repeat(platform: ThePlatform, repeated: RepeatIn) -> Json:
    """Put a record in once more, with its msgid, as happens after a reset."""
    rows = [row for row in platform.world.archive.rows.values() if row.msgid == repeated.msgid]
    if not rows:
        raise HTTPException(404, "no such record")
    return _shown(add_record(platform, rows[-1].body, rows[-1].broken))


@router.post("/keys")
async def add_key(platform: ThePlatform, key: KeyIn) -> Json:
    """Rotate the bank's key: records from now on are sealed for the new one."""
    try:
        rotate_key(platform, key.public_key_pem, key.publickey_ver)
    except CryptoError as error:
        raise HTTPException(409, str(error)) from error
    return {"publickey_ver": key.publickey_ver}


@router.post("/switches")
async def switch(platform: ThePlatform, changes: SwitchesIn) -> Json:
    """Change whether our IP is trusted, how long records are kept, and how much one answer may hold."""
    switches = switches_of(platform)
    for name, value in changes.model_dump(exclude_none=True).items():
        setattr(switches, name, value)
    platform.world.archive_switches.put(switches)
    return {name: getattr(switches, name) for name in SwitchesIn.model_fields}


@router.post("/faults")
async def plan_faults(platform: ThePlatform, faults: list[FaultIn]) -> Json:
    """Let the next calls go wrong; replaces what was planned."""
    switches = switches_of(platform)
    switches.faults = [ArchiveFault(one.call, one.ret, one.errcode, one.count) for one in faults]
    platform.world.archive_switches.put(switches)
    return {"faults": len(faults)}


@router.get("/calls")
async def list_calls(platform: ThePlatform) -> list[Json]:
    """List the library's newest calls, oldest first."""
    return [asdict(call) for call in switches_of(platform).calls]


@router.post("/msgid")
async def new_msgid(platform: ThePlatform) -> Json:
    """Return a msgid nobody has, for records that refer to one another."""
    return {"msgid": make_msgid(platform, external=True)}


def _file_of(record: RecordIn) -> bytes | None:
    if record.file_base64 is None:
        return None
    try:
        return base64.b64decode(record.file_base64, validate=True)
    except binascii.Error as error:
        raise HTTPException(422, "file_base64 is not base64") from error


def _shown(row: ArchiveRecord) -> Json:
    return {"seq": row.seq, "msgid": row.msgid, "record": row.body}
