from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.epochs import TURNS, WITHIN, Epochs, heard

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(epochs: str, every: timedelta = timedelta(seconds=10)) -> Epochs:
    known: Epochs | None = None
    for number, epoch in enumerate(epochs):
        known = heard(known, epoch, NOON + number * every)
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("epochs", "alarm"),
    [
        ("a", False),
        ("aaaaaaaaaa", False),
        ("aaaabbbb", False),
        ("aabab", False),
        ("abcde", False),
        ("ababab", True),
        ("abababbbbb", True),
    ],
)
def test_taking_turns_is_an_alarm_and_a_new_file_is_none(epochs: str, alarm: bool) -> None:
    assert after(epochs).alarm is alarm


def test_turns_far_apart_are_replacements() -> None:
    assert not after("ab" * TURNS, every=WITHIN / 2).alarm


def test_it_ends_after_a_quiet_hour() -> None:
    known = after("ababab")
    last = known.turns[-1]
    assert heard(known, "b", last + WITHIN - timedelta(seconds=1)).alarm
    assert not heard(known, "b", last + WITHIN).alarm
