"""What samples of a device prove, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from contracts.config import loads
from contracts.reading import Quality, Reading
from site_agent.config import SiteSettings
from site_agent.devices.commissioning import looks
from site_agent.devices.commissioning.found import Nature
from site_agent.devices.commissioning.looks import Watched
from site_agent.devices.commissioning.verdict import Judge, Verdict
from site_agent.devices.commissioning.yard import Candidate

AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
JUDGE = Judge("meter")
SITE = loads(
    "{site_id: s, data: ./d, contract_limit_w: 50000, max_building_w: 0, circuit: {limit_a: 100}, "
    "meter: {host: 192.0.2.1, period_s: 1}}",
    SiteSettings,
    name="site",
)
METER = Candidate(
    id="meter",
    nature=Nature.METER,
    settings=SITE.meter,
    device=cast(Any, None),  # these looks need its samples alone
    link=None,
)


def watched(
    *samples: Mapping[str, float | None], every_s: float = 1.0, until_s: float = 0
) -> Watched:
    """Samples `every_s` apart; None is a value that could not be used."""
    taken = [
        {name: reading(value, AT + n * timedelta(seconds=every_s)) for name, value in one.items()}
        for n, one in enumerate(samples)
    ]
    ended = max((len(samples) - 1) * every_s, until_s)
    return Watched(tuple(taken), AT + timedelta(seconds=ended))


def reading(value: float | None, at: datetime) -> Reading:
    if value is None:
        return Reading.missing(at, Quality.INVALID)
    return Reading(value=value, quality=Quality.GOOD, at=at)


def energy(power_w: float, imported: float, exported: float | None = None) -> Watched:
    """Power, and by how much the registers rose."""
    begin: dict[str, float | None] = {"active_power": power_w, "import_energy": 100.0}
    end: dict[str, float | None] = {"active_power": power_w, "import_energy": 100.0 + imported}
    if exported is not None:
        begin["export_energy"], end["export_energy"] = 50.0, 50.0 + exported
    return watched(begin, end)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (energy(9000, 5), Verdict.OK),
        (energy(-9000, 0, 5), Verdict.OK),
        (energy(-9000, 5, 0), Verdict.FAIL),
        (energy(9000, 0, 5), Verdict.FAIL),
        (energy(9000, 5, 5), Verdict.WARN),  # both rise: phases that go different ways
        (energy(9000, 0, 0), Verdict.WARN),
        (energy(20, 5), Verdict.WARN),  # too little to say a direction
        (watched({"active_power": None}), Verdict.WARN),
    ],
)
def test_a_meters_energy_registers_prove_its_sign(seen: Watched, verdict: Verdict) -> None:
    line = looks.sign(JUDGE, METER, seen, SITE)
    assert line is not None
    assert line.verdict is verdict
    assert bool(line.hint) is (verdict is not Verdict.OK)


@pytest.mark.parametrize(
    ("power_w", "currents", "verdict"),
    [
        (6900, (10, 10, 10), Verdict.OK),
        (-6900, (-10, -10, -10), Verdict.OK),
        (3000, (10, 10, 10), Verdict.OK),  # reactive power takes current too
        (27600, (10, 10, 10), Verdict.FAIL),  # the ratio of the transformers
        (2300, (10, None, None), Verdict.OK),  # one phase alone
        (6900, (10, None, None), Verdict.FAIL),
    ],
)
def test_power_is_no_more_than_the_currents_carry(
    power_w: float, currents: tuple[float | None, ...], verdict: Verdict
) -> None:
    sample = {"active_power": power_w} | {f"current_l{n}": one for n, one in enumerate(currents, 1)}
    line = looks.phases(JUDGE, watched(sample), SITE)
    assert line is not None
    assert line.verdict is verdict


def test_a_meter_without_currents_has_no_scale_to_judge() -> None:
    assert looks.phases(JUDGE, watched({"active_power": 5.0}), SITE) is None
    gap = {"active_power": 6900.0, "current_l1": 10.0, "current_l2": None, "current_l3": 10.0}
    assert looks.phases(JUDGE, watched(gap), SITE) is None


def test_the_rate_that_is_reached_counts_also_when_it_stops() -> None:
    told = [{"active_power": float(n)} for n in range(10)]
    assert looks.period(JUDGE, METER, watched(*told)).verdict is Verdict.OK
    slow = looks.period(JUDGE, METER, watched(*told, every_s=3.0))
    assert slow.verdict is Verdict.WARN
    assert "every 3.00 s" in slow.detail
    once = looks.period(JUDGE, METER, watched({"active_power": 1.0}, until_s=8))
    assert once.verdict is Verdict.WARN
    assert "8.00 s" in once.detail


def test_a_point_with_gaps_is_there_but_a_person_should_look() -> None:
    full = {"active_power": 1.0, "current_l1": 1.0, "current_l2": 1.0, "current_l3": 1.0}
    full["import_energy"] = 5.0
    gap: dict[str, float | None] = full | {"current_l1": None}
    lines = list(looks.points(JUDGE, METER, watched(full, gap, gap)))
    assert [line.verdict for line in lines] == [Verdict.WARN, Verdict.OK]
    assert "current_l1" in lines[0].detail
    lost = list(looks.points(JUDGE, METER, watched(gap, gap)))
    assert lost[0].verdict is Verdict.FAIL
    assert "current_l1 (invalid)" in lost[0].detail


def test_what_always_says_the_same_may_be_frozen() -> None:
    still = looks.moves(JUDGE, METER, watched({"active_power": 5.0}, {"active_power": 5.0}))
    alive = looks.moves(JUDGE, METER, watched({"active_power": 5.0}, {"active_power": 6.0}))
    assert still is not None
    assert alive is not None
    assert (still.verdict, alive.verdict) == (Verdict.WARN, Verdict.OK)
