"""One sentence, its binding limit and the way there: for everything on the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from site_agent.domain.decide.control import DEFAULT_POLICY, decide
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.device import BatteryState, ChargerState, PvState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.site import CircuitNode, SiteModel
from site_agent.domain.why.answer import Answer, Prospect, Seen, Subject, amps, kw, kwh, span
from site_agent.domain.why.asked import UnknownSubjectError, subjects, why
from support.site import NOON, battery, charger, charger_spec, envelope, model, need, pv, snapshot

ROW = CircuitNode(node_id="row-2", parent="pcc", limit_a=63.0)
FUSE = "the fuse of row-2 (63 A a phase)"


def row(*drawn_a: float | None, limits_a: Sequence[float | None] | None = None) -> Seen:
    """Chargers in a row on one fuse, each with a vehicle in need."""
    limits = limits_a or drawn_a
    specs = [charger_spec(f"charger-{n}", "row-2") for n in range(1, len(drawn_a) + 1)]
    states = [
        charger(spec, drawn_a=drawn, limit_a=limit)
        for spec, drawn, limit in zip(specs, drawn_a, limits, strict=True)
    ]
    needs = [need(spec.evse_id, wh=20_000, hours=10 + n) for n, spec in enumerate(specs)]
    return seen(states, needs=needs, of=model(specs, nodes=(ROW,)))


def seen(
    chargers: Sequence[ChargerState] = (),
    *,
    needs: Sequence[VehicleNeed] = (),
    of: SiteModel | None = None,
    batteries: Sequence[BatteryState] = (),
    pv_states: Sequence[PvState] = (),
    event_w: float | None = None,
    export_w: float | None = None,
    guidance: Guidance = NO_GUIDANCE,
    building_w: float | None = 10_000.0,
) -> Seen:
    picture = snapshot(
        chargers=chargers,
        needs=needs,
        of=of,
        batteries=batteries,
        pv_states=pv_states,
        building_w=building_w,
    )
    limits = envelope(picture.model, event_w, export_w)
    decision = decide(picture, limits, DEFAULT_POLICY, guidance)
    return Seen(snapshot=picture, decision=decision, guided_by=guidance.source)


def steps(answer: Answer) -> dict[str, str]:
    return {step.what: step.text for step in answer.steps}


@pytest.mark.row("site:X1")
def test_a_charger_that_shares_a_fuse_names_it_and_who_waits() -> None:
    answer = why(row(*[6.0] * 10, *[0.0] * 3), "charger-2")
    assert answer.of is Subject.CHARGER
    assert answer.binding == FUSE
    assert answer.sentence == (
        f"charger-2 charges with 4.1 kW because it shares {FUSE}, which is used up; 3 others wait"
    )
    assert [(step.what, step.text) for step in answer.steps] == [
        ("limit", FUSE),
        ("room", "63 A of 63 A on L1 used; 9 others charge under it; 3 wait for it"),
        ("need", "van-charger-2 still needs 20.0 kWh, leaves in 11 h, 10 h 6 min to spare"),
        ("share", f"shares {FUSE}"),
        ("setpoint", "6 A a phase (4.1 kW)"),
        ("accepted", "the charger accepted it 1 h ago"),
        ("device", "draws 4.1 kW, 0 s ago"),
        ("lease", "without the agent: 6 A a phase"),
    ]


def test_one_that_waits_for_a_fuse_names_it() -> None:
    answer = why(row(*[6.0] * 10, *[0.0] * 3), "charger-12")
    assert answer.sentence == f"charger-12 does not charge: {FUSE} leaves less than its 6 A"
    assert answer.binding == FUSE


def test_a_single_one_that_waits_is_said_so() -> None:
    assert why(row(*[6.0] * 10, 0.0), "charger-2").sentence.endswith("; 1 other waits")


@pytest.mark.parametrize(
    ("drawn_a", "does"),
    [
        (0.0, "is about to charge with 4.1 kW because"),
        (4.0, "charges with 2.8 kW and may soon take 4.1 kW because"),
        (15.0, "charges with 10.3 kW and falls to 4.1 kW because"),
    ],
)
def test_a_limit_that_is_still_being_followed_is_said_so(drawn_a: float, does: str) -> None:
    limits = [6.0, drawn_a, *[6.0] * 8]
    site = row(6.0, drawn_a, *[6.0] * 8, limits_a=limits)
    assert why(site, "charger-2").sentence.startswith(f"charger-2 {does} it shares {FUSE}")


WISH = Guidance(
    source="the plan of 14:05",
    vehicles_w={"a": Bound(value=0.0, cause="power is cheaper from 22:00")},
)
CASES: dict[str, tuple[ChargerState, Guidance, str]] = {
    "no vehicle": (
        charger("a", plugged=False),
        NO_GUIDANCE,
        "a charges nobody: no vehicle is plugged in; one that comes may at once take 4.1 kW",
    ),
    "its vehicle takes all it can": (
        charger("a", drawn_a=32.0, limit_a=32.0),
        NO_GUIDANCE,
        "a charges with 22.1 kW because that is all it can take",
    ),
    "its vehicle takes little": (
        charger("a", drawn_a=10.0, limit_a=32.0),
        NO_GUIDANCE,
        "a charges with 6.9 kW: its vehicle takes no more of 22.1 kW",
    ),
    "its vehicle takes nothing": (
        charger("a", drawn_a=0.0, limit_a=32.0),
        NO_GUIDANCE,
        "a may charge with 22.1 kW, but its vehicle takes nothing",
    ),
    "not measured": (
        charger("a", drawn_a=None, limit_a=32.0),
        NO_GUIDANCE,
        "a may charge with 22.1 kW because that is all it can take",
    ),
    "about to begin": (
        charger("a", drawn_a=0.0, limit_a=0.0),
        NO_GUIDANCE,
        "a is about to charge with 22.1 kW because that is all it can take",
    ),
    "a plan wishes it to wait": (
        charger("a", drawn_a=10.0, limit_a=10.0),
        WISH,
        "a does not charge: power is cheaper from 22:00",
    ),
    "offline": (
        charger("a", online=False, limit_a=16.0),
        NO_GUIDANCE,
        "a does not answer: counted at 16.0 A",
    ),
    "disobedient": (
        charger("a", drawn_a=20.0, limit_a=10.0, obeys=False),
        NO_GUIDANCE,
        "a does not obey: counted at 20.0 A",
    ),
    "stuck after a pause": (
        replace(charger("a", drawn_a=0.0, limit_a=10.0), stuck=True),
        NO_GUIDANCE,
        "a does not charge: its vehicle has not resumed after a pause; look at it",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_charger_does_is_one_sentence(case: str) -> None:
    state, guidance, sentence = CASES[case]
    needs = [need("a", hours=8)] if state.plugged else []
    assert why(seen([state], needs=needs, guidance=guidance), "a").sentence == sentence


def test_who_guides_is_told_beside_the_setpoint() -> None:
    site = seen([charger("a", drawn_a=10.0, limit_a=10.0)], needs=[need("a")], guidance=WISH)
    answer = why(site, "a")
    assert steps(answer)["setpoint"].endswith("wished by the plan of 14:05")
    assert answer.binding == "power is cheaper from 22:00"


def test_a_limit_that_is_not_accepted_yet_is_told() -> None:
    site = row(30.0, 30.0, 30.0)
    told = [steps(why(site, f"charger-{n}"))["accepted"] for n in (1, 2, 3)]
    assert "not yet: the charger holds 30 A a phase, accepted 1 h ago" in told


@pytest.mark.row("site:X1")
def test_a_vehicle_is_explained_by_its_charger_and_its_prospect() -> None:
    late = Prospect(
        vehicle_id="van-a",
        evse_id="a",
        on_track=False,
        words="will miss its departure by 20 min",
        helps="plug it into dc-1",
    )
    site = replace(
        seen([charger("a", drawn_a=32.0, limit_a=32.0)], needs=[need("a")]),
        prospects=(late,),
        fleet=frozenset({"van-a", "van-12"}),
    )
    answer = why(site, "van-a")
    assert answer.of is Subject.VEHICLE
    assert answer.sentence == (
        "van-a at a charges with 22.1 kW because that is all it can take; "
        "will miss its departure by 20 min; plug it into dc-1"
    )
    assert steps(answer)["ready"] == "will miss its departure by 20 min; plug it into dc-1"
    assert why(site, "van-12").sentence == (
        "van-12 does not charge: it is at no charger of this site, or has not been recognised there"
    )


def test_a_battery_says_what_for() -> None:
    chargers = [charger("a", drawn_a=32.0, limit_a=32.0)]
    needs = [need("a", wh=22_080, hours=1.0)]
    held = seen(chargers, needs=needs, batteries=[battery()], event_w=15_000)
    answer = why(held, "battery")
    assert answer.sentence.startswith("battery discharges with ")
    assert "because it holds the import limit of event e1" in answer.sentence
    assert answer.binding.startswith("holds the import limit of event e1")
    rest = seen(batteries=[battery(soc_pct=100.0)])
    assert why(rest, "battery").sentence == "battery rests: nothing to spare, full or offline"
    assert why(rest, "battery").binding == ""
    away = seen(batteries=[battery(online=False, power_w=None)])
    assert "does not answer" in why(away, "battery").sentence


def test_pv_says_what_curtails_it() -> None:
    free = why(seen(pv_states=[pv(-5_000)]), "pv")
    assert (free.sentence, free.binding) == ("pv makes 5.0 kW: no limit on PV binds", "")
    cut = why(seen(pv_states=[pv(-30_000)], export_w=-5_000.0), "pv")
    assert cut.sentence.startswith("pv makes 30.0 kW and may make 15.0 kW: ")
    assert cut.binding == "the export limit of event e1"


def test_a_node_says_whom_it_holds_back() -> None:
    site = row(15.8, 15.8, 15.8, 15.8, 0.0)
    answer = why(site, "row-2")
    assert answer.of is Subject.NODE
    assert answer.sentence.startswith("row-2 carries 63.2 A of 63 A a phase: it holds back ")
    assert answer.binding == FUSE
    assert why(site, "pcc").sentence.endswith("it holds nobody back")


@pytest.mark.parametrize(
    ("building_w", "event_w", "starts"),
    [
        (10_000.0, None, "the site draws 10.0 kW of 200.0 kW: nothing binds; "),
        (-4_000.0, None, "the site exports 4.0 kW: "),
        (10_000.0, 9_000.0, "the site draws 10.0 kW of 9.0 kW: "),
        (None, None, "the site may draw 200.0 kW: "),
    ],
)
def test_the_site_says_what_binds(
    building_w: float | None, event_w: float | None, starts: str
) -> None:
    site = seen(building_w=building_w, event_w=event_w)
    answer = why(site, "site")
    assert answer.sentence.startswith(starts)
    assert answer.name == "depot"
    assert answer == why(site, "depot")
    assert next(step.text for step in answer.steps).startswith("import ")


def test_everything_that_has_a_name_can_be_asked_about() -> None:
    site = seen(
        [charger("a"), charger("b", plugged=False)],
        needs=[need("a")],
        batteries=[battery()],
        pv_states=[pv()],
    )
    assert set(subjects(site)) == {"a", "b", "van-a", "battery", "pv", "pcc", "depot", "site"}
    for name in subjects(site):
        answer = why(site, name)
        assert answer.sentence
        assert "\n" not in answer.sentence


def test_a_name_need_not_be_typed_exactly() -> None:
    site = row(6.0, 6.0)
    assert why(site, "CHARGER 2").name == "charger-2"
    with pytest.raises(UnknownSubjectError, match="did you mean charger-"):
        why(site, "chager-2")
    with pytest.raises(UnknownSubjectError) as caught:
        why(site, "x" * 5_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (kw(-0.01), "0.0 kW"),
        (kw(12_040.0), "12.0 kW"),
        (kwh(1_250.0), "1.2 kWh"),
        (amps(6.0), "6 A"),
        (amps(17.38), "17.4 A"),
        (span(timedelta(seconds=34)), "34 s"),
        (span(timedelta(minutes=-20)), "20 min"),
        (span(timedelta(hours=5, minutes=20)), "5 h 20 min"),
        (span(timedelta(minutes=59, seconds=50)), "1 h"),
        (span(timedelta(days=3)), "3 days"),
    ],
)
def test_numbers_are_said_plainly(words: str, text: str) -> None:
    assert words == text


def test_an_answer_names_the_cycle_it_explains() -> None:
    assert why(seen([charger("a")]), "a").at == NOON
