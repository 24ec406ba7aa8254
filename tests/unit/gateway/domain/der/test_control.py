from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.domain.der.control import ControlStatus, DerProgram
from support.der import control, program


@pytest.mark.parametrize("primacy", [-1, 256])
def test_a_primacy_out_of_range_is_refused(primacy: int) -> None:
    with pytest.raises(ValueError, match="not 0-255"):
        program("p", primacy)


def test_a_program_is_named_by_its_description_or_its_id() -> None:
    assert str(DerProgram(program_id="id", primacy=3, description="Feeder")) == "Feeder (primacy 3)"
    assert str(DerProgram(program_id="id", primacy=3)) == "id (primacy 3)"


@pytest.mark.parametrize("random", [(61, 0), (0, -61)])
def test_a_random_bound_beyond_one_hour_is_refused(random: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="beyond one hour"):
        control(random=random)


def test_a_naive_creation_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        replace(control(), created_at=datetime(2026, 1, 1))  # noqa: DTZ001 (the point)


def test_cancelled_is_status_two_and_three() -> None:
    assert {status for status in ControlStatus if status.is_cancelled} == {2, 3}
    assert control().created_at.tzinfo is UTC
