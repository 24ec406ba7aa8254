"""`baseline:` of a program: a method by name, with parameters of one's own over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.config import loads
from contracts.errors import ConfigError
from gateway.domain.measure.presets import PRESETS, preset
from gateway.domain.program import BaselineMethod
from gateway.domain.program.method import Adjustment
from gateway.programs import library
from gateway.programs.schema import BaselineEntry, ProgramFile


def read(text: str) -> BaselineMethod:
    return loads(text, BaselineEntry, name="baseline.yaml").method()


@pytest.mark.parametrize("name", PRESETS)
def test_a_method_is_chosen_by_its_name(name: str) -> None:
    assert read(f"preset: {name}") == preset(name).method


def test_nothing_said_is_the_default() -> None:
    assert read("{}") == BaselineMethod()


def test_parameters_lie_over_the_preset() -> None:
    found = read("{preset: high-5-of-10-adjusted-type, look_back: P30D, adjust_high: null}")
    expected = replace(
        preset("high-5-of-10-adjusted-type").method,
        look_back=timedelta(days=30),
        adjust_high=None,
    )
    assert found == expected


def test_what_is_written_out_reads_the_same() -> None:
    entry = BaselineEntry(preset="5-in-10-type")
    assert BaselineEntry.model_validate(entry.model_dump(mode="json")) == entry


def test_a_programs_x_of_y_rule_leaves_other_kinds_alone() -> None:
    """The rule's adjustment is one before the event; 3+2 has hours of its own."""
    program = library.program(library.found("csrp-type"))
    same_day = preset("3-plus-2-type").method
    assert replace(program, baseline=same_day).method == same_day
    assert program.method.adjustment is Adjustment.NONE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("preset: best", "no baseline method 'best'"),
        ("{x_days: 5, weights: [1, 2]}", "one for each of the x_days"),
        ("{x_days: 11}", "x_days must not exceed y_days"),
        ("{adjust_from: PT1H, adjust_until: PT2H}", "adjust_from must lie before adjust_until"),
        ("{adjust_low: 1.3}", "adjust_low must not exceed adjust_high"),
        ("{weights: [0.0]}", "greater than 0"),
        ("{look_back: P900D}", "less than or equal to 400 days"),
        ("{control_sites: ['a b']}", "control_sites"),
        ("{kind: guess}", "kind"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(text)


def test_a_program_file_takes_a_preset() -> None:
    file = library.found("csrp-type").model_copy(
        update={"baseline": BaselineEntry(preset="match-day-type")}
    )
    assert isinstance(file, ProgramFile)
    assert library.program(file).method.name == "match-day-type"
