"""A depot of chargers that take limits each in another form: all are steered, the fuse holds."""

from __future__ import annotations

from functools import partial

import pytest

from depot_sim.chargers.personality import Entry
from site_agent.devices.ocpp.limits.profiles import Purpose, RateUnit
from support.leaping_clock import leaping
from support.ocpp_yard import Yard, yard
from support.waiting import until

FUSE_A = 150.0
DEPOT: tuple[list[Entry], ...] = (
    ["amps-only"],
    [{"watts-only": "W"}],
    ["answers-in-watts"],
    ["stack-zero-only"],
    ["rejects-max-stack"],
    ["no-cpmax", "ignores-number-phases"],
    [{"composite-empty": "endless"}, "dirty-samples"],
    [{"composite-empty": "rejected"}, "energy-only-kwh"],
    ["power-reads-zero"],
)


def all_draw(there: Yard, limit_a: float) -> bool:
    return all(abs(there.amps(n) - limit_a) < 0.6 for n in range(1, len(DEPOT) + 1))


@pytest.mark.row("pitfall:P1")
@pytest.mark.row("pitfall:P4")
@pytest.mark.row("pitfall:P5")
@pytest.mark.row("personality:amps-only")
@pytest.mark.row("personality:watts-only")
@pytest.mark.row("personality:answers-in-watts")
@pytest.mark.row("personality:stack-zero-only")
@pytest.mark.row("personality:no-cpmax")
@pytest.mark.row("personality:ignores-number-phases")
@pytest.mark.row("personality:composite-empty")
@pytest.mark.row("personality:energy-only-kwh")
@pytest.mark.row("personality:power-reads-zero")
@pytest.mark.row("personality:dirty-samples")
@leaping
async def test_every_one_is_steered_and_measured(spoken: str) -> None:
    weak = {"max_current_a": 16.0}
    async with yard(*DEPOT, version=spoken, fuse_a=FUSE_A, charger=weak) as there:
        numbers = range(1, len(DEPOT) + 1)
        for limit_a in (16.0, 8.0):
            for n in numbers:
                there.evse(n).trial_a = limit_a
            await until(partial(all_draw, there, limit_a))
        there.worst_a = 0.0
        await there.passes(30)
        assert there.worst_a == pytest.approx(8 * len(DEPOT), abs=2)
        for n in numbers:
            seen = there.seen(n)
            assert (seen.obeys, seen.online) == (True, True), n
            assert seen.confirmed_limit_a is not None
            assert there.amps(n) <= seen.confirmed_limit_a + 1, n
            assert seen.power_w.value == pytest.approx(690 * there.amps(n), rel=0.2), n

        known = [there.evse(n).knowledge for n in numbers]
        forms = [one.lease for one in known]
        assert all(form is not None and form.purpose is Purpose.TX for form in forms)
        units = [form.unit for form in forms if form is not None]
        assert units[1] is RateUnit.WATT
        assert units[0] is RateUnit.AMPERE
        assert forms[3] is not None
        assert forms[3].stack_level == 0
        assert forms[4] is not None
        assert forms[4].stack_level == 2  # 3 is advertised and refused
        assert (known[2].composite, known[6].composite, known[7].composite) == (True, False, False)
        assert there.site.counts("CP7")["bad sample"] > 10  # one beside the good ones every time
        assert there.site.counts("CP9")["power reads zero while energy climbs"] > 0
        assert all(one.generation == 1 for one in there.site.system.stations.values())
