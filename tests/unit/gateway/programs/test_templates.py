"""Every template loads, validates and explains itself; its figures are those that were found."""

from datetime import timedelta
from decimal import Decimal

import pytest
import yaml

from contracts.config import loads
from contracts.errors import ConfigError
from gateway.domain.event import EventSource
from gateway.domain.program.paying import EnergyPrice, Rate
from gateway.domain.program.promise import Shape
from gateway.domain.program.rules import Rules
from gateway.programs import library
from gateway.programs.explain import explained, warnings
from gateway.programs.schema import ProgramFile

BLOCKS = {
    *("csrp", "dlrp", "nyseg-csrp", "cbp-sce", "cbp-pge", "cbp-sdge", "bip", "bip-sce", "elrp"),
    *("dsgs-3", "scr", "pjm-load-management", "adcr", "ers", "4cp", "pdr", "ladwp-dr"),
    *("connected-solutions", "connected-solutions-storage", "ct-storage", "dfs"),
    *("dso-flexibility", "wdrm", "irrigation-pacific", "irrigation-entergy", "ameren-missouri"),
    *("openadr-cpp", "openadr-cbp", "openadr-thermostat", "openadr-fast-dr", "openadr-ev-tou"),
    *("openadr-ev-rtp", "openadr-der", "dynamic-operating-envelope"),
}


def rules(name: str) -> Rules:
    return library.program(library.template(name)).rules


def test_there_is_one_for_every_block() -> None:
    assert set(library.names()) == {f"{block}-type" for block in BLOCKS}


@pytest.mark.row("portfolio:A1")
@pytest.mark.parametrize("name", library.names())
def test_a_template_loads_and_explains_itself_in_plain_words(name: str) -> None:
    file = library.template(name)
    assert file.template == name
    program = library.program(file)
    lines = explained(program)
    assert {"commitment", "signal"} <= {line.kind for line in lines}
    assert all(line.text and "None" not in line.words for line in lines)
    assert program.rules.signal.sources == set(EventSource)
    rates = [rate for rate in _rates(program.rules) if rate is not None]
    assert all(rate.example for rate in rates)  # no tariff in force was read
    assert any("examples" in text for text in warnings(program)) == bool(rates)


def test_an_emergency_program_says_that_its_events_go_first() -> None:
    said = {name: _said(name) for name in ("bip-type", "cbp-pge-type")}
    first = "An emergency program: its events go before those of other programs"
    assert first in said["bip-type"]
    assert first not in said["cbp-pge-type"]


def test_first_refusal_is_the_emergency_programs_aggregators() -> None:
    refusing = [one for one in rules("elrp-type").exclusivity if one.first_refusal]
    assert [one.others for one in refusing] == [("bip-type", "bip-sce-type")]
    assert not any(one.first_refusal for one in rules("bip-type").exclusivity)


def _said(name: str) -> list[str]:
    return [line.words for line in explained(library.program(library.template(name)))]


@pytest.mark.parametrize("name", library.names())
def test_what_is_written_out_in_full_reads_as_before(name: str) -> None:
    file = library.template(name)
    text = yaml.safe_dump(file.model_dump(mode="json"))
    assert loads(text, ProgramFile, name="program.yaml") == file


def _rates(one: Rules) -> list[Rate | None]:
    rates = [pay.rate for pay in one.capacity_pay] + [pay.rate for pay in one.energy_pay]
    rates += [pay.rate for pay in one.average_pay] + [pay.rate for pay in one.peak_charge]
    return rates + [pay.rate for pay in one.penalties]


def test_the_four_shapes_of_a_promise_are_all_there() -> None:
    shapes = {one.shape for name in library.names() for one in rules(name).commitment}
    assert shapes == set(Shape)


@pytest.mark.row("portfolio:A1")
def test_the_figures_of_the_micro_examples_stand_in_the_data() -> None:
    """Settlement computes them; the templates hold every number that it needs."""
    dlrp, csrp = rules("dlrp-type"), rules("csrp-type")
    assert [pay.rate and pay.rate.amount for pay in dlrp.capacity_pay] == [18, 25]
    assert dlrp.performance[0].sticky
    assert dlrp.performance[0].cap == 1
    assert (csrp.capacity_pay[1].uplift, csrp.capacity_pay[1].uplift_from_event) == (Decimal(5), 5)
    assert [pay.rate and pay.rate.amount for pay in csrp.energy_pay[:2]] == [1, 3]
    nyseg = rules("nyseg-csrp-type").performance[0]
    assert (nyseg.floor, nyseg.floor_strict) == (Decimal("0.25"), True)
    cbp = rules("cbp-sce-type")
    bands = [(tier.from_ratio, tier.factor, tier.penalty) for tier in cbp.tiers[0].tiers]
    assert bands == [
        (Decimal("0.9"), None, False),
        (Decimal("0.75"), Decimal("0.5"), False),
        (Decimal("0.5"), 0, False),
        (0, None, True),
    ]
    assert cbp.capacity_pay[0].without_event_in_full
    assert cbp.energy_pay[0].price is EnergyPrice.INDEX_HEAT_RATE
    assert (cbp.energy_pay[0].heat_rate_btu_per_kwh, cbp.energy_pay[0].cap_ratio) == (
        Decimal(15_000),
        Decimal("1.5"),
    )
    (over,) = rules("bip-type").penalties
    assert over.rate is not None
    assert (over.rate.amount, over.rate.unit, over.netting) == (Decimal(6), "kWh", None)
    elrp = rules("elrp-type")
    assert (elrp.meter[0].export.value, elrp.energy_pay[0].rate) != ("clamped", None)
    ladwp = rules("ladwp-dr-type")
    assert (ladwp.performance[0].floor, ladwp.performance[0].floor_strict) == (
        Decimal("0.5"),
        False,
    )
    (average,) = rules("connected-solutions-type").average_pay
    assert (average.weighting.value, average.missed.value) == ("all_hours", "zero")
    scr = rules("scr-type")
    assert (scr.baselines[0].peak_loads, scr.baselines[0].peak_hours) == (20, 40)
    assert scr.energy_pay[0].strike_max == Decimal("0.5")
    pjm = rules("pjm-load-management-type")
    assert pjm.capacity_pay[0].rate is not None
    assert pjm.capacity_pay[0].rate.amount == Decimal("98.5")
    assert pjm.penalties[0].rate is not None
    assert pjm.penalties[0].rate.amount == 1150
    adcr = rules("adcr-type")
    assert (adcr.penalties[0].ratio_cap, adcr.baselines[0].anchor.value) == (
        Decimal(1),
        "notification",
    )
    assert adcr.baselines[0].adjust_window == timedelta(minutes=15)
    (peak,) = rules("4cp-type").peak_charge
    assert peak.months == {6, 7, 8, 9}
    dso, dfs = rules("dso-flexibility-type"), rules("dfs-type")
    assert [tier.from_ratio for tier in dso.tiers[0].tiers] == [Decimal("0.5"), 0]
    assert dfs.performance[0].negative.value == "netted"


def test_a_name_that_is_none_is_told_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="no program template 'csrp'; there are: 4cp-type"):
        library.template("csrp")
