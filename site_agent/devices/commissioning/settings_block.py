"""A found device as a block of a site's settings, ready to be pasted."""

from __future__ import annotations

import re
from typing import Any

import yaml

from site_agent.config.devices import ModbusSettings
from site_agent.devices.commissioning.found import Found, Nature

_LISTS = {
    Nature.BATTERY: "batteries",
    Nature.PV: "pv",
    Nature.CHARGER: "chargers",
    Nature.SENSOR: "sensors",
}
_NEEDED = {
    Nature.BATTERY: ("capacity_wh", "max_charge_w", "max_discharge_w"),
    Nature.PV: ("rated_w",),
}
_UNTOLD = "  # not told by the device: see its nameplate"


def settings_block(found: Found, where: ModbusSettings, profile: str | None = None) -> str | None:
    """YAML for `SiteSettings`; None for a device whose nature is not known.

    What the device does not tell is left empty, with a comment. `profile`: how its profile is named
    there, where that is not its id (a path).
    """
    if found.nature is None:
        return None
    kind = {"kind": "sunspec"} if found.profile is None else {"kind": "profile"}
    named = {} if found.profile is None else {"profile": profile or found.profile}
    place = where.model_copy(update={"unit": found.unit}).model_dump(
        mode="json", exclude_defaults=True
    )
    ratings = {key: _whole(found.ratings.get(key)) for key in _NEEDED.get(found.nature, ())}
    entry: dict[str, Any] = {**kind, **named, **place, "unit": found.unit, **ratings}
    if found.nature is Nature.METER:
        return _yaml({"meter": entry})
    return _yaml({_LISTS[found.nature]: [{"id": _id(found), **entry}]})


def _yaml(document: dict[str, Any]) -> str:
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=False, allow_unicode=True)
    return text.replace(": null\n", ":" + _UNTOLD + "\n")


def _whole(watts: float | None) -> int | None:
    return None if watts is None else int(watts)


def _id(found: Found) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", (found.identity.model or "").lower()).strip("-")
    return f"{slug[:40] or found.nature}-{found.unit}"
