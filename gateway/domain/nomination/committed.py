"""What sites have promised to a program over a window: nominations, else their enrolments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.enrolment import Enrolment
from gateway.domain.nomination.nomination import Nomination, Status


def committed(
    enrolments: Mapping[str, Enrolment], nominations: Iterable[Nomination], window: Interval
) -> Mapping[str, StepSeries]:
    """By enrolled site, the reduction promised over a window, W.

    Where an accepted nomination has a quantity, the site's part of it counts (nothing, if it has
    none). Everywhere else the figure of the enrolment stands.
    """
    pieces = sorted(_pieces(nominations, window), key=lambda piece: piece[0].start)
    return {
        site_id: StepSeries.of(
            _filled(window, [(i, parts.get(site_id, 0.0)) for i, parts in pieces], one.nominated_w)
        )
        for site_id, one in enrolments.items()
    }


def _pieces(
    nominations: Iterable[Nomination], window: Interval
) -> Iterator[tuple[Interval, Mapping[str, float]]]:
    for one in nominations:
        if one.status is not Status.ACCEPTED:
            continue
        for quantity in one.quantities:
            for hours in quantity.hours:
                piece = hours.intersection(window)
                if piece is not None:
                    yield piece, quantity.parts


def _filled(
    window: Interval, pieces: Iterable[tuple[Interval, float]], otherwise: float
) -> Iterator[tuple[Interval, float]]:
    """The window, with a value wherever no piece lies."""
    start = window.start
    for piece, value in pieces:
        if piece.start > start:
            yield Interval(start=start, end=piece.start), otherwise
        yield piece, value
        assert piece.end is not None  # noqa: S101 (hours of a period are closed)
        start = piece.end
    if window.end is None or start < window.end:
        yield Interval(start=start, end=window.end), otherwise
