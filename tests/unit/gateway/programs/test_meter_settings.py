"""Revenue meters in settings: which can make one load, and what a mistake is told as."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.metering.interval import Register
from gateway.domain.portfolio import Site
from gateway.programs.entry import ProgramEntry
from gateway.programs.meter_entry import MeterEntry
from gateway.programs.metering import check_meters

LIMIT_W = 100_000.0


def site(*meters: dict[str, Any]) -> Site:
    entries = [MeterEntry.model_validate(one) for one in meters]
    return Site(
        site_id="north",
        name="North",
        time_zone=ZoneInfo("UTC"),
        import_limit_w=LIMIT_W,
        meters=tuple(one.meter(LIMIT_W) for one in entries),
    )


def program(meters: list[str] | None = None, **changes: Any) -> ProgramEntry:
    enrolment = {"site_id": "north", "nominated_w": 1.0, "meters": meters or []}
    return ProgramEntry.model_validate(
        {
            "program_id": "relief",
            "name": "Relief",
            "utility_id": "u1",
            "measured_by": "revenue_meter",
            "enrolments": [enrolment],
            **changes,
        }
    )


IN, OUT, NET = ({"name": d, "direction": d} for d in ("import", "export", "net"))
HOURLY = {"name": "hourly", "interval": "PT1H"}


@pytest.mark.parametrize(
    ("meters", "wanted", "changes"),
    [
        ([IN], None, {}),
        ([IN, OUT], None, {}),
        ([NET], None, {}),
        ([IN, NET], ["net"], {}),
        ([HOURLY], None, {"measurement_interval": "PT2H"}),
        ([IN], ["import"], {"device_classes": ["evse"]}),
        ([IN], None, {"device_classes": ["evse", "storage"]}),
        ([], None, {"measured_by": "site_agent"}),
        ([IN, NET], None, {"measured_by": "site_agent"}),
    ],
)
def test_meters_that_make_one_load(
    meters: list[dict[str, Any]], wanted: list[str] | None, changes: dict[str, Any]
) -> None:
    check_meters(program(wanted, **changes), {"north": site(*meters)})


@pytest.mark.parametrize(
    ("meters", "wanted", "changes", "said"),
    [
        ([], None, {}, "give the site `meters`"),
        ([IN], ["other"], {}, r"names meters it has not: \['other'\]"),
        ([IN, NET], None, {}, "counts twice"),
        ([HOURLY], None, {}, "no multiple of the 1:00:00 of meter 'hourly'"),
        ([IN], None, {"device_classes": ["evse"]}, "which count these devices"),
        ([], ["import"], {"measured_by": "site_agent"}, "names meters it has not"),
    ],
)
def test_meters_that_do_not_are_refused_with_what_to_do(
    meters: list[dict[str, Any]],
    wanted: list[str] | None,
    changes: dict[str, Any],
    said: str,
) -> None:
    with pytest.raises(ValueError, match=said):
        check_meters(program(wanted, **changes), {"north": site(*meters)})


@pytest.mark.parametrize(
    ("entry", "limit_w"),
    [
        (IN, 2 * LIMIT_W),
        (OUT, 100 * LIMIT_W),
        (NET, 100 * LIMIT_W),
        ({"name": "m", "limit_w": 5.0}, 5.0),
    ],
)
def test_what_nobody_believes_of_a_meter(entry: dict[str, Any], limit_w: float) -> None:
    (made,) = site(entry).meters
    assert made.rules.limit_w == limit_w
    assert made.rules.length == timedelta(minutes=15)


def test_a_meter_has_a_name_a_direction_and_an_interval_that_divides_a_day() -> None:
    assert MeterEntry(name="a-1").direction is Register.IMPORT
    for wrong in ({"name": "a/b"}, {"name": ""}, {"name": "a", "interval": "PT7M"}):
        with pytest.raises(ValueError, match=r"name|divide a day"):
            MeterEntry.model_validate(wrong)
