"""Status of events as the server keeps it (10.2.3; schema texts of EventStatus)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PermanentError
from contracts.sep2.codes import EventState
from contracts.testing import FakeClock
from vtn_sim.sep2.events import Booked, Cancellation, EventBook, Status, status
from vtn_sim.sep2.spec import ControlSpec

NOW = FakeClock().now()
Control = Booked[ControlSpec]


def after(seconds: float) -> Any:
    return NOW + timedelta(seconds=seconds)


class Book:
    """An EventBook with short words."""

    def __init__(self) -> None:
        self.events = EventBook[ControlSpec]()

    def add(self, name: str, start: float, end: float, at: float = 0.0, **more: Any) -> Control:
        spec = ControlSpec.model_validate(
            {
                "program": "p",
                "name": name,
                "duration_s": int(end - start),
                "modes": {"opModImpLimW": 1000},
                **more,
            }
        )
        mrid = f"{len(self.events.all()) + 1:032X}"
        return self.events.add(spec, mrid, after(start), after(at))

    def cancel(self, name: str, at: float, *, randomized: bool = False) -> None:
        self.events.cancel(name, Cancellation(at=after(at), randomized=randomized))

    def status(self, name: str, at: float, *, at_creation: bool = False) -> Status:
        event = self.events.get(name)
        return status(event, self.events.of("p"), after(at), at_creation=at_creation)

    def state(self, name: str, at: float, *, at_creation: bool = False) -> EventState:
        return self.status(name, at, at_creation=at_creation).state

    def listed(self, at: float) -> list[str]:
        return [event.name for event in self.events.listed("p", after(at))]


@pytest.fixture
def book() -> Book:
    return Book()


def test_scheduled_then_active_then_gone(book: Book) -> None:
    book.add("a", 60, 120)
    assert book.state("a", 59) is EventState.SCHEDULED
    assert book.status("a", 60) == Status(state=EventState.ACTIVE, since=after(60))
    assert book.listed(119) == ["a"]
    assert book.listed(120) == []


def test_what_has_begun_is_never_scheduled(book: Book) -> None:
    book.add("late", -30, 60)
    assert book.status("late", 0) == Status(state=EventState.ACTIVE, since=after(0))


def test_active_from_the_earliest_effective_start_and_listed_to_the_latest_end(book: Book) -> None:
    book.add("a", 60, 120, randomize_start_s=-20, randomize_duration_s=30)
    assert book.state("a", 40) is EventState.ACTIVE
    assert book.listed(149) == ["a"]
    assert book.listed(150) == []


@pytest.mark.parametrize("randomized", [False, True])
def test_a_cancelled_one_stays_listed_for_its_original_duration(
    book: Book, randomized: bool
) -> None:
    book.add("a", 60, 120)
    book.cancel("a", 70, randomized=randomized)
    wanted = (EventState.CANCELLED, EventState.CANCELLED_WITH_RANDOMIZATION)[randomized]
    assert book.status("a", 71) == Status(state=wanted, since=after(70))
    assert book.listed(119) == ["a"]


def test_nothing_is_cancelled_twice_or_after_its_end(book: Book) -> None:
    book.add("a", 60, 120)
    book.cancel("a", 70)
    book.add("b", 60, 120)
    with pytest.raises(PermanentError, match="cancelled already"):
        book.cancel("a", 71)
    with pytest.raises(PermanentError, match="over"):
        book.cancel("b", 120)


def test_the_same_again_supersedes_at_the_start_of_the_newer_one(book: Book) -> None:
    book.add("old", 60, 120)
    book.add("new", 90, 150, at=10)
    assert book.state("old", 89) is EventState.ACTIVE
    assert book.status("old", 90) == Status(state=EventState.SUPERSEDED, since=after(90))
    assert book.listed(110) == ["old", "new"]
    assert book.state("new", 90) is EventState.ACTIVE


def test_a_server_with_the_habit_marks_it_at_creation(book: Book) -> None:
    book.add("old", 60, 120)
    book.add("new", 90, 150, at=10)
    assert book.status("old", 20, at_creation=True).since == after(10)
    assert book.state("old", 20, at_creation=True) is EventState.SUPERSEDED


@pytest.mark.parametrize(
    "newer",
    [
        {"modes": {"opModExpLimW": 0}},
        {"modes": {"opModImpLimW": 1, "opModExpLimW": 0}},
        {"device_category": 1},
    ],
)
def test_other_modes_or_categories_supersede_nothing(book: Book, newer: dict[str, Any]) -> None:
    book.add("old", 60, 120)
    book.add("new", 90, 150, at=10, **newer)
    assert book.state("old", 95) is EventState.ACTIVE


def test_modes_in_common_make_it_potentially_superseded(book: Book) -> None:
    book.add("old", 60, 120)
    book.add("new", 90, 150, at=10, modes={"opModImpLimW": 1, "opModExpLimW": 0})
    assert book.status("old", 20).potentially_superseded_at == after(10)
    assert book.status("new", 20).potentially_superseded_at is None


def test_successive_events_do_not_overlap(book: Book) -> None:
    book.add("first", 60, 120)
    book.add("second", 120, 180, at=10)
    assert book.state("first", 119) is EventState.ACTIVE


def test_one_that_is_withdrawn_in_time_supersedes_nothing(book: Book) -> None:
    book.add("old", 60, 120)
    book.add("new", 90, 150, at=10)
    book.cancel("new", 80)
    assert book.state("old", 100) is EventState.ACTIVE


def test_what_was_superseded_stays_so_when_the_newer_one_is_cancelled(book: Book) -> None:
    book.add("old", 60, 120)
    book.add("new", 90, 150, at=10)
    book.cancel("new", 100)
    assert book.state("old", 110) is EventState.SUPERSEDED


def test_listed_in_order_of_start_and_the_newer_first(book: Book) -> None:
    book.add("later", 90, 150)
    book.add("older", 60, 120, at=1)
    book.add("newer", 60, 130, at=2)
    assert book.listed(5) == ["newer", "older", "later"]


def test_the_next_change_is_a_start_or_an_end(book: Book) -> None:
    book.add("a", 60, 120)
    assert book.events.next_change(after(0)) == after(60)
    assert book.events.next_change(after(60)) == after(120)
    assert book.events.next_change(after(120)) is None


def test_a_server_may_list_them_longer(book: Book) -> None:
    book.events.keep = timedelta(seconds=30)
    book.add("a", 60, 120)
    book.add("over", -60, -30)
    assert book.listed(29) == ["over", "a"]
    assert book.listed(149) == ["a"]
    assert book.events.next_change(after(60)) == after(150)


def test_names_and_mrids_are_taken_once(book: Book) -> None:
    book.add("a", 60, 120)
    with pytest.raises(PermanentError, match="exists already"):
        book.add("a", 60, 120)


seconds = st.integers(-100, 300)


@given(
    windows=st.lists(st.tuples(seconds, st.integers(1, 200)), min_size=1, max_size=6),
    moments=st.lists(seconds, min_size=2, max_size=6),
)
def test_a_state_never_goes_back(windows: list[tuple[int, int]], moments: list[int]) -> None:
    book = Book()
    for place, (start, length) in enumerate(windows):
        book.add(f"e{place}", start, start + length, at=place)
    rank = [EventState.SCHEDULED, EventState.ACTIVE, EventState.SUPERSEDED]
    for event in book.events.all():
        states = [book.state(event.name, at) for at in sorted(moments) if at >= len(windows)]
        assert [rank.index(s) for s in states] == sorted(rank.index(s) for s in states)
        assert all(book.status(event.name, at).since <= after(at) for at in moments if at >= 10)
