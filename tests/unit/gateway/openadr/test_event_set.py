from datetime import datetime, timedelta

import pytest

from contracts.openadr.payloads import EventStatus
from gateway.utility.openadr.event_set import Change, KnownEvent, changes, gone
from support.openadr import START, oadr_event

HOUR = timedelta(hours=1)


def known(modification: int = 1, *, over: bool = False, open_ended: bool = False) -> KnownEvent:
    return KnownEvent(
        event_id="e1",
        modification=modification,
        opt_in=True,
        cause="",
        ends_at=None if open_ended else START + HOUR,
        over=over,
    )


@pytest.mark.parametrize(
    ("before", "modification", "status", "change"),
    [
        (None, 0, EventStatus.FAR, Change.NEW),
        (None, 3, EventStatus.ACTIVE, Change.NEW),
        (None, 0, EventStatus.CANCELLED, Change.PAST),
        (None, 0, EventStatus.COMPLETED, Change.PAST),
        (known(1), 1, EventStatus.NEAR, Change.REPEAT),
        (known(1), 2, EventStatus.FAR, Change.UPDATE),
        (known(3), 2, EventStatus.FAR, Change.STALE),
        (known(3), 2, EventStatus.CANCELLED, Change.STALE),
        (known(1), 2, EventStatus.CANCELLED, Change.CANCEL),
        (known(1), 1, EventStatus.CANCELLED, Change.CANCEL),
        (known(2, over=True), 2, EventStatus.CANCELLED, Change.REPEAT),
        (known(2, over=True), 3, EventStatus.FAR, Change.UPDATE),
    ],
)
def test_what_an_event_means(
    before: KnownEvent | None, modification: int, status: EventStatus, change: Change
) -> None:
    event = oadr_event(modification=modification, status=status)
    book = {} if before is None else {"e1": before}
    assert [c for c, _ in changes(book, [event])] == [change]


@pytest.mark.parametrize(
    ("event", "at", "cancelled"),
    [
        (known(), START, ("e1",)),
        (known(), START + HOUR, ()),
        (known(open_ended=True), START + 100 * HOUR, ("e1",)),
        (known(over=True), START, ()),
    ],
    ids=["running", "past its end", "open-ended", "cancelled before"],
)
def test_an_unlisted_event_is_cancelled_only_while_open(
    event: KnownEvent, at: datetime, cancelled: tuple[str, ...]
) -> None:
    assert gone({"e1": event}, frozenset(), at) == cancelled
    assert gone({"e1": event}, frozenset({"e1"}), at) == ()
