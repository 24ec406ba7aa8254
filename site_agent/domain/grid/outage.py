"""Whether the public grid is there, from whatever can tell.

Asked in this order, and the first that tells decides:

1. a **contact** of a transfer switch or relay that shows an island (where the settings name one);
2. a **battery's inverter** that says it forms a grid cut off from the public one (SunSpec 701:
   DERMode and ConnSt);
3. the **meter** at the connection point: no phase above half of the nominal voltage, or a frequency
   that no grid has, is an outage. Dips end within a second (EN 50160, 4.3.2); what is shorter than
   `GridPolicy.down_after` never counts;
4. **silence**: meter, chargers and PV, at least two devices, have been heard and all fall silent.
   That is an outage, or a failure of the site's own network (`doubtful`: it takes longer to count,
   and its return is shorter); either way they come back one after another, and all at once is what
   they must not do. Batteries have a supply of their own, so they do not count.

None of these: it is not known, and nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from site_agent.domain.site import SiteSnapshot

_DEAD_SHARE = 0.5
"""Of the nominal voltage; inverters must let go below 0.45 to 0.5 (IEEE 1547-2018, table 11)."""
_HZ = (40.0, 70.0)
"""Frequencies that grids of 50 or 60 Hz have, with a wide margin."""
_FEWEST = 2
"""The silence of a single device is the device's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridPolicy:
    """When an outage begins and ends."""

    down_after: timedelta = timedelta(seconds=2)
    silent_after: timedelta = timedelta(seconds=15)
    """The same where silence alone tells."""
    stable_for: timedelta = timedelta(minutes=5)
    """How long the grid must be back before anything returns; IEEE 1547-2018 (4.10.3) has 5 min."""
    silent_stable_for: timedelta = timedelta(seconds=60)
    """The same where silence alone told: it may have been the site's network."""


class Sight(StrEnum):
    """What is seen of the grid."""

    LIVE = "live"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is seen, and by what."""

    sight: Sight
    words: str
    doubtful: bool = False
    """Silence alone tells."""


def look(
    snapshot: SiteSnapshot, islanded_by_contact: bool | None = None, *, heard: bool = True
) -> Seen:
    """What can be seen of the grid now.

    Args:
        snapshot: The site.
        islanded_by_contact: None where no contact tells.
        heard: Whether anything that hangs on the grid has answered since we began (`answers`): a
            site that has just started knows nothing by silence.
    """
    if islanded_by_contact is not None:
        seen = Sight.DEAD if islanded_by_contact else Sight.LIVE
        return Seen(sight=seen, words="the contact of the transfer switch")
    island = [one.spec.battery_id for one in snapshot.batteries if one.online and one.islanded]
    if island:
        words = f"the inverter of {', '.join(island)} forms a grid of its own"
        return Seen(sight=Sight.DEAD, words=words)
    by_meter = _by_meter(snapshot)
    if by_meter is not None:
        return by_meter
    several = len(snapshot.chargers) + len(snapshot.pv) + 1 >= _FEWEST
    if heard and several and not answers(snapshot):
        words = "meter, chargers and PV are silent"
        return Seen(sight=Sight.DEAD, words=words, doubtful=True)
    return Seen(sight=Sight.UNKNOWN, words="nothing tells")


def answers(snapshot: SiteSnapshot) -> bool:
    """Whether anything that hangs on the public grid answers."""
    power = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
    others = (*(one.online for one in snapshot.chargers), *(one.online for one in snapshot.pv))
    return power is not None or any(others)


def _by_meter(snapshot: SiteSnapshot) -> Seen | None:
    now, max_age = snapshot.at, snapshot.model.meter_max_age
    told = (snapshot.pcc.voltage_v, snapshot.pcc.frequency_hz)
    volts, hertz = (None if one is None else one.fresh(now, max_age) for one in told)
    if volts is not None and volts < _DEAD_SHARE * snapshot.model.voltage_v:
        return Seen(sight=Sight.DEAD, words=f"the meter shows {volts:.0f} V")
    if hertz is not None and not _HZ[0] < hertz < _HZ[1]:
        return Seen(sight=Sight.DEAD, words=f"the meter shows {hertz:.1f} Hz")
    if volts is not None or hertz is not None:
        shown = f"{volts:.0f} V" if volts is not None else f"{hertz:.2f} Hz"
        return Seen(sight=Sight.LIVE, words=f"the meter shows {shown}")
    if snapshot.pcc.power_w.fresh(now, max_age) is not None:
        return Seen(sight=Sight.LIVE, words="the meter answers")
    return None
