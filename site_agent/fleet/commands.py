"""What people at the agent's machine may ask of the fleet (`gridyard fleet ...`)."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import AsyncGenerator, Mapping

from contracts.errors import PermanentError
from contracts.time import Clock
from site_agent.fleet.api.vehicles import known, vehicle_out
from site_agent.fleet.files.importing import import_file
from site_agent.fleet.files.table import MAX_BYTES
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.ports import Command

Json = Mapping[str, object]


def packed(data: bytes) -> str:
    """A file's content as a command carries it."""
    return base64.b64encode(zlib.compress(data, 9)).decode()


def unpacked(text: str) -> bytes:
    """The content again.

    Raises:
        PermanentError: it is none, or larger than a file may be.
    """
    try:
        work = zlib.decompressobj()
        data = work.decompress(base64.b64decode(text, validate=True), MAX_BYTES + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise PermanentError("the content cannot be unpacked") from error
    if len(data) > MAX_BYTES:
        raise PermanentError(f"the file is larger than {MAX_BYTES} bytes")
    return data


def fleet_commands(roster: LiveRoster, zone: str, clock: Clock) -> Mapping[str, Command]:
    """The commands by name."""

    async def vehicles(args: Json) -> AsyncGenerator[Json, None]:
        for name in roster.ids():
            out = vehicle_out(known(roster, name))
            yield out.model_dump(mode="json", exclude_unset=True, exclude={"id_tags", "emaids"})

    async def import_(args: Json) -> AsyncGenerator[Json, None]:
        data = unpacked(str(args.get("content", "")))
        done = await import_file(roster, data, zone, clock.now(), dry_run=bool(args.get("dry_run")))
        yield {
            "rows": done.rows,
            "kind": "trips" if done.trips else "vehicles",
            "changed": list(done.changed),
            "unchanged": list(done.unchanged),
            "dry_run": done.dry_run,
        }

    return {"fleet.vehicles": vehicles, "fleet.import": import_}
