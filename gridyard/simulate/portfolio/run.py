"""Events one after another on the same sites, and what came of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from copy import deepcopy
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from contracts.series import StepSeries
from gateway.domain.delivery.course import MINUTE, DeliveryRules
from gateway.domain.delivery.restoration import RestorationRules, restoration, returning
from gridyard.simulate.portfolio.control import BEGIN, Controller, Way
from gridyard.simulate.portfolio.sites import Nature, Sites, Watts

_BIN_MIN = 5
_WATCHED_MIN = 60
LOW, HIGH = 0.97, 1.03
"""A five-minute interval that delivered so much of its target is as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is asked of the portfolio."""

    events: int = 2
    minutes: int = 120
    """Length of an event; a multiple of 5."""
    share: float = 0.60
    """Target, as a part of what all sites offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One seed one way."""

    way: Way
    seed: int
    nature: Nature = field(default_factory=Nature)
    course: Course = field(default_factory=Course)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event; parts of the target, over its intervals of 5 minutes after the first."""

    way: str
    seed: int
    event: int
    """1 is the first, of which nothing was known before."""
    energy: float
    inside: float
    """Part of the intervals within 97-103 % of the target."""
    mean_error: float
    most_asked: float
    """Highest request of any site, of its offer."""
    messages: int
    left_out: int
    """Sites in quarantine at the end."""
    peak: float
    """Highest load after the event, of the baseline, with staggered restoration ..."""
    steepest: float
    """... and how much of the baseline the load rose in one minute then."""
    peak_at_once: float
    """The same when everybody is free at the end."""
    steepest_at_once: float


Tell = Callable[[int, int], None]
"""So many runs done, of so many."""


def run_task(task: Task) -> list[EventRow]:
    """Every event of one seed, one way."""
    sites = Sites(task.nature, task.seed)
    controller = Controller(sites, task.way, DeliveryRules())
    return [_event(task, number + 1, sites, controller) for number in range(task.course.events)]


def run_many(tasks: Sequence[Task], jobs: int, tell: Tell) -> list[EventRow]:
    """All runs, in order of way, seed and event."""
    rows: list[EventRow] = []
    workers = max(1, min(jobs or os.cpu_count() or 1, len(tasks)))
    for done, found in enumerate(_results(tasks, workers), start=1):
        rows += found
        tell(done, len(tasks))
    order = [way.value for way in Way]
    return sorted(rows, key=lambda row: (order.index(row.way), row.seed, row.event))


def _results(tasks: Sequence[Task], workers: int) -> Iterable[list[EventRow]]:
    if workers == 1:
        yield from map(run_task, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(run_task, task) for task in tasks]):
            yield future.result()


def _event(task: Task, number: int, sites: Sites, controller: Controller) -> EventRow:
    minutes = task.course.minutes
    sites.begin_event(minutes)
    controller.begin_event()
    target_w = task.course.share * float(sites.offer_w.sum())
    given, most_asked = np.zeros(minutes), 0.0
    for minute in range(minutes):
        asked_w = controller.ask(target_w)
        most_asked = max(most_asked, float((asked_w / sites.offer_w).max()))
        load_w = sites.live_a_minute(_limits(sites, asked_w))
        controller.see(minute, target_w, load_w, sites.heard_minute().tolist())
        given[minute] = float((sites.baseline_w - load_w).sum()) / target_w
    bins = given.reshape(-1, _BIN_MIN).mean(axis=1)[1:]
    twin = deepcopy(sites)
    peak, steepest = _after(sites, load_w, _restored(sites, asked_w, minutes))
    at_once = _after(twin, load_w, [])
    return EventRow(
        way=task.way.value,
        seed=task.seed,
        event=number,
        energy=float(bins.mean()),
        inside=float(((bins >= LOW) & (bins <= HIGH)).mean()),
        mean_error=float(np.abs(bins - 1.0).mean()),
        most_asked=most_asked,
        messages=controller.messages,
        left_out=sum(s.quarantine is not None for s in controller.standings.values()),
        peak=peak,
        steepest=steepest,
        peak_at_once=at_once[0],
        steepest_at_once=at_once[1],
    )


def _limits(sites: Sites, asked_w: Watts) -> Watts:
    return np.where(asked_w > 0, sites.baseline_w - asked_w, np.inf)


def _restored(sites: Sites, asked_w: Watts, minutes: int) -> list[Watts]:
    """The limits after the end, minute by minute, by the gateway's own rules."""
    rules, end = RestorationRules(), BEGIN + minutes * MINUTE
    back = [
        returning(s, float(b - a), float(b), float(c), frozenset(), rules)
        for s, b, a, c in zip(sites.ids, sites.baseline_w, asked_w, sites.connection_w, strict=True)
    ]
    made = restoration(back, end, rules)
    count = (made.ends_at - end) // MINUTE
    found = np.full((count, len(sites.ids)), np.inf)
    for k, site_id in enumerate(sites.ids):
        for step in made.limits.get(site_id, StepSeries()):
            first = (step.interval.start - end) // MINUTE
            length = (step.interval.duration or MINUTE) // MINUTE
            found[first : first + length, k] = step.value
    return list(found)


def _after(sites: Sites, before_w: Watts, limits: Sequence[Watts]) -> tuple[float, float]:
    """Highest load and steepest rise in the hour after, of the baseline."""
    free = np.full(len(sites.ids), np.inf)
    told = [*limits, *[free] * (_WATCHED_MIN - len(limits))]
    loads = [float(before_w.sum()), *(float(sites.live_a_minute(w).sum()) for w in told)]
    baseline_w = float(sites.baseline_w.sum())
    return max(loads) / baseline_w, float(np.diff(loads).max()) / baseline_w
