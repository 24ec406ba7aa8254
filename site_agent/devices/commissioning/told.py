"""The running agent's own view of its devices, over its console: it alone may ask some of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from contracts.errors import PermanentError, ProtocolError
from contracts.reading import Quality
from contracts.time import Clock
from site_agent.devices.commissioning.live import Picture, Row, rows_of
from site_agent.devices.commissioning.yard import METER_ID, State, readings_of
from site_agent.domain.site import SiteSnapshot
from site_agent.ports import Command, Sensor

COMMAND = "device.watch"
_SHORTEST_S, _LONGEST_S = 0.1, 3600.0


def watch_commands(
    seen: Callable[[], SiteSnapshot | None], sensors: Mapping[str, Sensor], clock: Clock
) -> Mapping[str, Command]:
    """`device.watch` (`every_s`, perhaps `device`): a picture each time, until the guest goes."""

    async def watch(args: Mapping[str, object], /) -> AsyncGenerator[Mapping[str, object], None]:
        every_s, device = args.get("every_s"), args.get("device")
        if not isinstance(every_s, int | float) or not _SHORTEST_S <= every_s <= _LONGEST_S:
            raise PermanentError(f"every_s: {_SHORTEST_S:g} to {_LONGEST_S:g} s")
        while True:
            now, snapshot = clock.now(), seen()
            rows = [] if snapshot is None else [*_rows(snapshot)]
            for name, sensor in sensors.items():
                rows += rows_of(name, sensor.readings(now))
            told = [row.as_dict(now) for row in rows if device in (None, row.device)]
            yield {"at": now.isoformat(), "rows": told}
            await clock.sleep(every_s)

    return {COMMAND: watch}


def picture(item: Mapping[str, Any]) -> Picture:
    """What an item of `device.watch` shows.

    Raises:
        ProtocolError: it is none.
    """
    try:
        rows = tuple(
            Row(
                device=str(row["device"]),
                name=str(row["name"]),
                value=row["value"],
                unit=str(row["unit"]),
                meaning=str(row["meaning"]),
                quality=Quality(row["quality"]),
                at=datetime.fromisoformat(row["at"]),
            )
            for row in item["rows"]
        )
        return Picture(at=datetime.fromisoformat(item["at"]), rows=rows)
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"the agent tells something else: {error}") from error


def _rows(snapshot: SiteSnapshot) -> Iterator[Row]:
    states: list[tuple[str, State]] = [
        (METER_ID, snapshot.pcc),
        *((one.spec.battery_id, one) for one in snapshot.batteries),
        *((one.spec.pv_id, one) for one in snapshot.pv),
        *((one.spec.evse_id, one) for one in snapshot.chargers),
    ]
    for name, state in states:
        yield from rows_of(name, readings_of(state))
