"""Controls a site may opt out of: which they are, and whether the utility allows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.domain.der.engagement import Engagement, Fate, Phase
from gateway.ports import SiteControl
from gateway.utility.sep2.curves import Setting
from gateway.utility.sep2.device_track import DeviceTrack
from gateway.utility.sep2.difference import Difference
from gateway.utility.sep2.mapping_modes import words
from gateway.utility.sep2.settings import OptOut, Sep2Settings

VOLUNTARY = frozenset(
    {
        "opModFixedW",
        "opModGenLimW",
        "opModLoadLimW",
        "opModMaxLimW",
        "opModStorageTargetW",
        "opModTargetW",
    }
)
"""Modes that ask chargers, batteries and PV for power. All others protect the network: limits at
the connection point, disconnection, and whatever an inverter does for voltage and frequency."""


def site_controls(
    settings: Sep2Settings, tracks: Sequence[DeviceTrack], site_id: str, difference: Difference
) -> list[SiteControl]:
    """What binds a site or will; a control of several of its devices is one."""
    found: dict[str, SiteControl] = {}
    for track in tracks:
        for one in track.controls():
            earlier = found.get(one.control.mrid)
            out = site_id in one.parts_out and (earlier is None or earlier.opted_out)
            found[one.control.mrid] = SiteControl(
                utility_id=settings.utility_id,
                control_id=one.control.mrid,
                site_id=site_id,
                window=difference.ours(one.control.window),
                running=one.phase is Phase.RUNNING,
                asks=", ".join(_asked(one)),
                opted_out=out,
                binding=binding(one, settings.opt_out),
            )
    return sorted(found.values(), key=lambda one: (one.window.start, one.control_id))


def binding(engagement: Engagement[Setting], allowed: OptOut) -> str:
    """Why nobody may opt out of a control; empty if they may."""
    if allowed == "all":
        return ""
    if allowed == "none":
        return "this utility does not let sites opt out"
    others = sorted({mode for mode, _ in _followed(engagement)} - VOLUNTARY)
    return f"{', '.join(others)} binds: this utility lets nobody opt out of it" if others else ""


def _followed(engagement: Engagement[Setting]) -> Iterator[tuple[str, Setting]]:
    for mode, standing in engagement.modes.items():
        if standing.fate is not Fate.REJECTED and mode in engagement.control.modes:
            yield mode, engagement.control.modes[mode]


def _asked(engagement: Engagement[Setting]) -> Iterator[str]:
    return (words(mode, value) for mode, value in sorted(_followed(engagement)))
