from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.measure.blocks import blocks
from gateway.domain.measure.factor import event_ratio
from gateway.domain.measure.firm_level import (
    Load,
    flat_baseline,
    level_rows,
    over_level,
    season_mean_kw,
)
from gateway.domain.program.performing import Absent, Mean, Performance
from support.calls import HOUR
from support.deliveries import QUARTER, hours, result

pytestmark = pytest.mark.row("portfolio:A1")


def loads(*kilowatts: float | None) -> list[Load]:
    """Quarters of one event."""
    pieces = hours("2026-07-14 16:00", len(kilowatts) / 4).split(QUARTER)
    values = (None if one is None else Decimal(str(one)) for one in kilowatts)
    return list(zip(pieces, values, strict=True))


@pytest.mark.parametrize(("netting", "kwh"), [(None, 15), (timedelta(minutes=30), 5), (HOUR, 0)])
def test_energy_over_the_level_is_netted_within_a_span(
    netting: timedelta | None, kwh: float
) -> None:
    quarters = loads(320, 260, 280, 340, 250, 250, 250, 250)
    assert over_level(quarters, Decimal(300), netting) / 3600 == Decimal(str(kwh))
    assert over_level(reversed(quarters), Decimal(300), netting) / 3600 == Decimal(str(kwh))


def test_what_is_not_measured_is_not_over_the_level() -> None:
    assert over_level(loads(None, 320, None), Decimal(300), None) / 3600 == 5
    assert over_level(loads(None, None), Decimal(300), None) == 0


def test_a_drop_from_a_flat_baseline() -> None:
    rows = level_rows(loads(580, 610, 640, 650), Decimal(600), Decimal(900))
    assert {row.committed_kw for row in rows} == {Decimal(300)}
    found = event_ratio(blocks(rows, Performance()), Performance())
    assert found is not None
    assert round(found, 3) == Decimal("0.933")
    with pytest.raises(ValueError, match="lies above the baseline"):
        level_rows(loads(1), Decimal(901), Decimal(900))


def test_a_flat_baseline_is_the_mean_of_the_highest_loads_in_the_systems_highest_hours() -> None:
    hours_of = [(Decimal(1000 + n), Decimal(n % 10 * 100)) for n in range(60)]
    best = sorted((site for system, site in hours_of if system >= 1020), reverse=True)[:20]
    assert flat_baseline(hours_of, hours=40, loads=20) == sum(best) / 20
    assert flat_baseline(hours_of[::-1], hours=40, loads=20) == sum(best) / 20
    with pytest.raises(ValueError, match="40 hours needed, 30 known"):
        flat_baseline(hours_of[:30], hours=40, loads=20)


@pytest.mark.parametrize(
    ("weighting", "missed", "kilowatts"),
    [
        (Mean.ALL_HOURS, Absent.ZERO, "55"),
        (Mean.EVENT, Absent.ZERO, "60"),
        (Mean.ALL_HOURS, Absent.LEFT_OUT, "88"),
        (Mean.EVENT, Absent.LEFT_OUT, "90"),
    ],
)
def test_the_mean_of_a_season(weighting: Mean, missed: Absent, kilowatts: str) -> None:
    events = [
        result("2026-07-14 16:00", 1, 2, mean_kw=Decimal(100)),
        result("2026-07-15 16:00", 0.8, 3, mean_kw=Decimal(80)),
        result("2026-07-16 16:00", None, 3, opted_out=True),
    ]
    assert season_mean_kw(events, weighting, missed) == Decimal(kilowatts)
    assert season_mean_kw(events[::-1], weighting, missed) == Decimal(kilowatts)


def test_a_season_without_events_has_no_mean() -> None:
    assert season_mean_kw([], Mean.ALL_HOURS, Absent.ZERO) is None
