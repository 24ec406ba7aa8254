"""What `gridyard fleet` prints for people; clock times are the site's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

Json = Mapping[str, object]


def imported(done: Json) -> Iterator[str]:
    """What a file has done."""
    changed, same = _names(done["changed"]), _names(done["unchanged"])
    would = "would change" if done["dry_run"] else "changed"
    yield f"{done['rows']} rows of {done['kind']}: {would} {len(changed)}, {len(same)} as before"
    for name in changed:
        yield f"  {name}"


def vehicles(found: Sequence[Json], zone: str) -> Iterator[str]:
    """A line a vehicle."""
    width = max((len(str(one["vehicle_id"])) for one in found), default=0)
    for one in found:
        yield f"{one['vehicle_id']!s:<{width}}  {'; '.join(_facts(one, ZoneInfo(zone)))}"
    if not found:
        yield "no vehicles"


def _facts(one: Json, zone: ZoneInfo) -> Iterator[str]:
    told = one["told"] if isinstance(one["told"], dict) else {}
    if "required_soc_pct" in one:
        yield f"to {_plain(one['required_soc_pct'])} %"
    if isinstance(wh := one.get("required_wh"), int | float):
        yield f"{wh / 1000:g} kWh"
    if "departure" in one:
        yield f"leaves {one['departure']}"
    if "soc_pct" in one:
        fact = told.get("soc_pct", {})
        yield f"at {_plain(one['soc_pct'])} % ({_when(fact.get('at'), zone)}, {fact.get('source')})"
    if isinstance(trips := one.get("trips"), list) and trips:
        yield f"{len(trips)} trip{'s' if len(trips) > 1 else ''}"
    sources = {fact["source"] for fact in told.values()} or {"settings"}
    yield f"from {', '.join(sorted(sources))}"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _when(text: object, zone: ZoneInfo) -> str:
    if not isinstance(text, str):
        return "at a time not told"
    return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M %Z}"


def tried(found: Sequence[Json]) -> Iterator[str]:
    """A line a webhook."""
    for one in found:
        verdict = "heard" if one["heard"] else "NOT HEARD"
        yield f"{one['webhook']}: {verdict} ({one['why']}), event {one['event_id']}"


def _names(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
