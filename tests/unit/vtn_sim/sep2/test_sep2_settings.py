"""Settings, scenarios and actions: what is taken, and what is said about what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from contracts.config import loads
from contracts.errors import ConfigError, PermanentError
from contracts.sep2.resources import FixedVar, PowerFactorWithExcitation, Scaled
from contracts.testing import FakeClock
from support.sep2_world import World, lfdi_of
from vtn_sim.config import VtnSettings
from vtn_sim.sep2.faults import FaultBook, FaultSpec
from vtn_sim.sep2.identifiers import without_pen
from vtn_sim.sep2.modes import FixedVarSpec, PowerFactorSpec, mode_value
from vtn_sim.sep2.routing import Route, Router
from vtn_sim.sep2.scenario import play
from vtn_sim.sep2.spec import ControlSpec
from vtn_sim.sep2.transitions import Transitions

MakeWorld = Callable[..., World]

YAML = """
cert_file: vtn.pem
key_file: vtn.key
ca_file: ca.pem
sep2:
  cert_file: server.pem
  key_file: server.key
  ca_file: ca.pem
  csipaus: https://csipaus.org/ns
  aggregators:
    - {lfdi: "0123456789abcdef0123456789abcdef01234567"}
  devices:
    - {lfdi: "00000000000000000000000000000000000000AA", label: depot-1, fsas: [feeder]}
  programs:
    - name: feeder
      primacy: 1
      default: {modes: {opModImpLimW: 100000}, grad_w_percent_per_s: 0.27}
  fsas:
    - {name: feeder, programs: [feeder]}
  scenario:
    - relative_to: contact
      after_s: 5
      do: {action: add-control, program: feeder, name: evening, start_in_s: 10, duration_s: 60,
           modes: {opModImpLimW: 20000, opModConnect: true}}
    - after_s: 30
      do: {action: add-fault, fault: {effect: status, kind: DERControlList, times: 3}}
"""


def test_a_whole_file() -> None:
    settings = loads(YAML, VtnSettings, name="utility.yaml").sep2
    assert settings is not None
    assert settings.aggregators[0].lfdi == "0123456789ABCDEF0123456789ABCDEF01234567"
    assert settings.devices[0].pin == 111_115
    control = settings.scenario[0].do
    assert isinstance(control, ControlSpec)
    assert control.modes == {"opModImpLimW": 20000.0, "opModConnect": True}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("opModImpLimW: 20000", "opModImpLim: 20000", "unknown mode"),
        ("opModImpLimW: 20000", "opModImpLimW: -5", "does not take"),
        ("opModConnect: true", "opModConnect: 5", "does not take"),
        ("opModConnect: true", "opModMaxLimW: 101", "does not take"),
        ("opModConnect: true", "opModFixedVar: 4", "does not take"),
        ("start_in_s: 10, ", "", "either start or start_in_s"),
        ("action: add-control", "action: add-controls", "add-control"),
        ("csipaus: https://csipaus.org/ns", "csipaus: https://csipaus.org/xx", "csipaus"),
        ("pin: 1", "pin: 1000000", "pin"),
        ("  devices:", "  poll_rates: {DERControlList: 5}\n  devices:", "no pollRate"),
        ("label: depot-1", "aggregator: nobody", "no aggregator"),
        ("label: depot-1", "label: depot/1", "label"),
    ],
)
def test_mistakes_are_named(old: str, new: str, said: str) -> None:
    text = YAML.replace("label: depot-1", "label: depot-1, pin: 1").replace(old, new)
    with pytest.raises(ConfigError, match=said):
        loads(text, VtnSettings, name="utility.yaml")


@pytest.mark.parametrize(
    "changes",
    [
        {"fsas": [{"name": "wide", "programs": ["nothing"]}]},
        {"devices": [{"lfdi": lfdi_of(1), "fsas": ["nothing"]}]},
        {"devices": [{"lfdi": lfdi_of(1)}, {"lfdi": lfdi_of(1)}]},
        {"programs": [{"name": "wide", "primacy": 1}] * 2},
        {"in_band_fsas": ["nothing"]},
        {"csipaus": None},
        {"programs": [{"name": "wide", "primacy": 1, "default": {"modes": {"opModVoltVar": "x"}}}]},
    ],
)
def test_what_does_not_fit_together_is_a_mistake(
    make_world: MakeWorld, changes: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match="sep2"):
        make_world(**changes)


def test_modes_become_values_of_the_standard() -> None:
    def curve(name: str) -> str:
        return f"/{name}"

    assert mode_value("opModTargetW", 150_000.0, curve) == Scaled(multiplier=1, value=15_000)
    assert mode_value("opModFixedW", -25.5, curve) == -2550
    assert mode_value("opModEnergize", False, curve) is False
    assert mode_value("opModFixedVar", FixedVarSpec(percent=44), curve) == FixedVar(
        ref_type=2, value=4400
    )
    assert mode_value(
        "opModFixedPFInjectW", PowerFactorSpec(power_factor=0.95, absorbs=True), curve
    ) == PowerFactorWithExcitation(displacement=950, excitation=True, multiplier=-3)


@pytest.mark.parametrize(
    ("action", "content"),
    [
        ("add-control", {"program": "nothing", "start_in_s": 0, "duration_s": 1}),
        (
            "add-control",
            {"program": "wide", "start_in_s": 0, "duration_s": 1, "modes": {"opModVoltVar": "x"}},
        ),
        (
            "add-control",
            {
                "program": "wide",
                "start_in_s": 0,
                "duration_s": 1,
                "modes": {"opModStorageTargetW": 1},
            },
        ),
        ("cancel-event", {"event": "nothing"}),
        ("set-default", {"program": "nothing", "default": None}),
        (
            "set-curve",
            {
                "program": "wide",
                "curve": {"name": "x", "mode": "opModVoltVar", "points": [[92, 44]]},
            },
        ),
        ("set-primacy", {"primacies": {"wide": 1, "nothing": 2}}),
        ("set-programs", {"fsa": "wide", "programs": ["nothing"]}),
        ("move-device", {"device": "one", "fsas": ["nothing"]}),
        ("delete-device", {"device": "nobody"}),
        ("delete-device", {"device": "agg"}),
        ("add-device", {"device": {"lfdi": lfdi_of(1)}}),
        ("set-poll-rate", {"kind": "DERControlList", "seconds": 5}),
        ("grant-flow", {"request": "AA"}),
        ("set-prices", {"tariff": "nothing", "prices": [{"at": "00:00", "price": 1}]}),
        ("add-program", {"program": {"name": "wide", "primacy": 1}}),
    ],
)
def test_an_impossible_action_changes_nothing(
    world: World, action: str, content: dict[str, Any]
) -> None:
    before = world.answer("GET", world.utility.hrefs.devices + "?l=9").body
    world.topics.clear()
    with pytest.raises(PermanentError):
        world.act(action, **content)
    assert world.topics == []
    assert world.answer("GET", world.utility.hrefs.devices + "?l=9").body == before
    assert world.utility.groups.programs.get("wide").primacy == 5


def test_programs_and_groups_can_be_added(world: World) -> None:
    world.act("add-program", program={"name": "third", "primacy": 3}, fsas=["wide"])
    world.act("add-fsa", fsa={"name": "new", "programs": ["third"]})
    world.act("add-device", device={"lfdi": lfdi_of(3), "label": "three", "fsas": ["new"]})
    world.act("set-programs", fsa="wide", programs=["third"])
    assert world.utility.groups.fsas.get("wide").programs == ("third",)
    assert ("DERProgramList", "1") in world.topics


def test_faults_strike_so_often() -> None:
    book = FaultBook()
    book.add(FaultSpec(effect="status", kind="DERControlList", method="GET", times=2))
    assert book.strike("GET", "EndDeviceList") is None
    assert book.strike("POST", "DERControlList") is None
    struck = [book.strike("GET", "DERControlList") is not None for _ in range(3)]
    assert struck == [True, True, False]
    assert book.all() == ()
    book.add(FaultSpec(effect="slow"))
    assert all(book.strike("GET", kind) for kind in ("Time", ""))
    book.clear()
    assert book.strike("GET", "Time") is None


def test_the_pen_can_be_forgotten() -> None:
    assert without_pen("30000000000000000000000400009F1C") == "30000000000000000000000400000000"


def test_literal_parts_of_a_path_go_before_parameters() -> None:
    routes = [Route(pattern="a/{x}", kind="any"), Route(pattern="a/b", kind="literal")]
    router = Router("/p", [*routes, Route(pattern="/dcap", kind="entry")])
    found = {path: router.find(path) for path in ("/p/a/b", "/p/a/c", "/p/a", "/dcap", "/a/b")}
    assert {path: one and (one[0].kind, one[1]) for path, one in found.items()} == {
        "/p/a/b": ("literal", {}),
        "/p/a/c": ("any", {"x": "c"}),
        "/p/a": None,
        "/dcap": ("entry", {}),
        "/a/b": None,
    }


# --- time ----------------------------------------------------------------------------------------


async def test_steps_are_played_at_their_times(make_world: MakeWorld, clock: FakeClock) -> None:
    control = {
        "action": "add-control",
        "program": "narrow",
        "start_in_s": 5,
        "duration_s": 60,
        "modes": {"opModImpLimW": 1},
    }
    world = make_world(
        scenario=[
            {"after_s": 20, "do": {**control, "name": "second"}},
            {"after_s": 10, "do": {**control, "name": "first"}},
            {"after_s": 15, "do": {"action": "cancel-event", "event": "nothing"}},
            {"relative_to": "contact", "after_s": 1, "do": {**control, "name": "met"}},
        ]
    )

    def names() -> list[str]:
        return [event.name for event in world.utility.controls.all()]

    steps = world.utility.settings.scenario
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(play(steps, world.utility, world.director, clock))
        await clock.advance(12)
        assert names() == ["first"]
        await clock.advance(10)
        assert names() == ["first", "second"]
        assert not playing.done()
        world.utility.first_contact.set()
        await clock.advance(1)
        assert names() == ["first", "second", "met"]


async def test_changes_that_come_with_time_are_told(world: World, clock: FakeClock) -> None:
    world.act(
        "add-control", program="narrow", start_in_s=60, duration_s=60, modes={"opModImpLimW": 1}
    )
    world.topics.clear()
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(Transitions(world.utility).run())
        await clock.advance(59)
        assert world.topics == []
        await clock.advance(1)
        assert set(world.topics) == {("DERControlList", "2"), ("ActiveDERControlList", "2")}
        world.topics.clear()
        await clock.advance(60)
        assert ("DERControlList", "2") in world.topics
        watching.cancel()
