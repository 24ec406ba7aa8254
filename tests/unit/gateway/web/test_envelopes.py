"""What utilities impose, as people and programs read it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from contracts.inverter import Curve, CurveKind, FixedVar, Point, Reference
from contracts.time import Interval
from gateway.domain.operating_envelope import EnvelopeStep, OperatingEnvelope, SiteBounds
from gateway.web.envelope_view import bounds_in_words, envelope_lines
from gateway.web.portfolio_view import site_mark
from gateway.web.snapshot import take
from gridyard.sep2.in_force import described
from support.gateway_envelopes import envelope
from support.gateway_web import NOW, World

VOLT_VAR = Curve(
    kind=CurveKind.VOLT_VAR,
    points=(Point(x=92.0, y=44.0), Point(x=108.0, y=-44.0)),
    reference=Reference.MAX_VAR,
)
ABSORB = FixedVar(var=-2_000.0)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (SiteBounds(), "nothing is bound"),
        (SiteBounds(import_limit_w=20e3), "import at most 20.0 kW"),
        (SiteBounds(import_limit_w=0.0), "no import"),
        (SiteBounds(import_limit_w=-5e3), "export at least 5.0 kW"),
        (SiteBounds(export_limit_w=-30e3), "export at most 30.0 kW"),
        (SiteBounds(export_limit_w=0.0), "no export"),
        (SiteBounds(export_limit_w=4e3), "import at least 4.0 kW"),
        (SiteBounds(load_limit_w=7e3), "load of chargers and batteries at most 7.0 kW"),
        (SiteBounds(generation_limit_w=-8e3), "generation at most 8.0 kW"),
        (SiteBounds(storage_power_w=-9e3), "batteries discharge with 9.0 kW"),
        (SiteBounds(storage_power_w=9e3), "batteries charge with 9.0 kW"),
        (SiteBounds(energize=False), "everything that can be steered stops"),
        (SiteBounds(import_limit_w=1e3, export_limit_w=0.0), "import at most 1.0 kW, no export"),
        (
            SiteBounds(import_limit_w=1e3, inverter_functions=(VOLT_VAR, ABSORB)),
            "import at most 1.0 kW, inverters: volt-var curve, 2 points, "
            "inverters: absorb 2.0 kvar",
        ),
    ],
)
def test_bounds_in_words(bounds: SiteBounds, words: str) -> None:
    assert bounds_in_words(bounds) == words


async def test_what_is_in_force_and_what_comes(world: World) -> None:
    await impose(world)
    lines = envelope_lines(await world.ledger.envelopes(), "harbor", NOW, ZoneInfo("UTC"))
    assert [(line.now, line.bounds) for line in lines] == [
        (True, "import at most 20.0 kW"),
        (False, "import at most 80.0 kW"),
    ]
    assert lines[1].when.endswith("until further notice")


async def test_a_bounded_site_says_so(world: World) -> None:
    world.live.heard("harbor")
    snapshot = await take(world.state)
    assert snapshot.imposed == ()
    await impose(world)
    later = await take(world.state)
    site = next(one for one in later.live.sites if one.site.site_id == "harbor")
    calm = {**{f: getattr(later, f) for f in later.__slots__}, "events": ()}
    assert site_mark(site, type(later)(**calm)).word == "Limited"


async def test_the_page_and_the_api_tell_the_same(world: World, client: httpx.AsyncClient) -> None:
    await impose(world)
    (answer,) = (await client.get("/api/v1/sites/harbor/envelopes")).json()
    assert answer["now"]["bounds"]["import_limit_w"] == 20_000.0
    assert answer["now"]["cause"] == "control 1"
    assert [step["end"] is None for step in answer["steps"]] == [False, True]
    assert (await client.get("/api/v1/sites/north-yard/envelopes")).json() == []
    assert (await client.get("/api/v1/sites/nowhere/envelopes")).status_code == 404
    page = (await client.get("/sites/harbor")).text
    assert "What utilities impose" in page
    assert "import at most 20.0 kW" in page


async def test_what_inverters_do_is_told_in_words(world: World, client: httpx.AsyncClient) -> None:
    bounds = SiteBounds(inverter_functions=(VOLT_VAR, ABSORB))
    step = EnvelopeStep(interval=Interval(start=NOW, end=None), bounds=bounds, cause="control 2")
    imposed = OperatingEnvelope(utility_id="u2", site_id="harbor", steps=(step,))
    await world.ledger.put_envelope(imposed, NOW, None)
    answer = (await client.get("/api/v1/sites/harbor/envelopes")).json()
    functions = ["volt-var curve, 2 points", "absorb 2.0 kvar"]
    assert answer[0]["now"]["bounds"]["inverter_functions"] == functions
    assert "volt-var curve, 2 points" in (await client.get("/sites/harbor")).text
    (line,) = [one for one in described("harbor", answer) if "until further notice" in one]
    assert line.endswith("inverters: volt-var curve, 2 points, inverters: absorb 2.0 kvar")


async def impose(world: World) -> None:
    begun = NOW - timedelta(minutes=10)
    await world.ledger.put_envelope(
        envelope(begun, (0, 40, 20_000.0), default_w=80_000.0, site_id="harbor"), begun, None
    )
