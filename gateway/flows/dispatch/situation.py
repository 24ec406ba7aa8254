"""Everything dispatch must know about one event at one moment, gathered before it decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.messages import InstructionState
from contracts.time import Interval
from gateway.domain.curves import pointwise, total
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.dispatch.limits import Limits
from gateway.domain.event import GridEvent, Opt
from gateway.domain.flexibility import SiteFlexibility, offer
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Program, closed_window, reduction_target
from gateway.domain.scope import Scope, scope_of
from gateway.flows.dispatch.baselines import Baselines, ExpectedLoad, other_events
from gateway.flows.dispatch.moved import moved_before
from gateway.flows.dispatch.options import DispatchOptions
from gateway.flows.dispatch.rivalry import OVER, Rivalry, Rivals
from gateway.flows.dispatch.splitting import History, Offers, SplitOptions, limits
from gateway.flows.nominating.commitments import Commitments
from gateway.flows.sites.live import Live
from gateway.ports import Ledger, StoredEvent, StoredInstruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One event at one moment."""

    now: datetime
    stored: StoredEvent
    program: Program | None
    window: Interval
    """The event's, or as far ahead as we plan."""
    sites: tuple[Site, ...]
    """Addressed by the event."""
    plans: Sequence[DispatchPlan]
    newest: Mapping[str, StoredInstruction]
    """The last instruction to each site for this event."""
    flexibilities: tuple[SiteFlexibility, ...] = ()
    baseline: StepSeries = field(default_factory=StepSeries)
    """Of all addressed sites together, where every one's is known."""
    target: StepSeries = field(default_factory=StepSeries)
    """Reduction asked while the event is in force."""
    limits: Limits = field(default_factory=Limits)
    """What binds a plan besides the offers."""
    rivalry: Rivalry = field(default_factory=Rivalry)
    """The event among the others: offers, baselines of sites and target are what they leave."""

    @property
    def scope(self) -> Scope:
        """Whose load it is about: baselines, offers and delivery are of that."""
        return scope_of(self.event, self.program)

    @property
    def event(self) -> GridEvent:
        """The event at its newest modification."""
        return self.stored.event

    @property
    def wanted(self) -> bool:
        """Whether anything is to be asked of anybody."""
        over = self.event.status(self.now) in OVER
        return self.stored.decision.opt is Opt.IN and not over and self.program is not None


class Observer:
    """Gathers situations from the ledger, the live state and the baselines."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        live: Live,
        baselines: Baselines,
        options: DispatchOptions,
        splitting: SplitOptions | None = None,
        commitments: Commitments | None = None,
    ) -> None:
        """`commitments`: what is promised to programs; None: what the enrolments say."""
        self._portfolio = portfolio
        self._ledger = ledger
        self._live = live
        self._baselines = baselines
        self._options = options
        self._splitting = splitting or SplitOptions()
        self._commitments = commitments or Commitments(portfolio)
        self._rivals = Rivals(portfolio, ledger)
        self._offers = Offers(ledger, self._splitting)
        self._history = History(ledger, self._splitting)

    async def look(
        self, stored: StoredEvent, events: Sequence[StoredEvent], now: datetime
    ) -> Situation:
        """The situation of one event; `events` are all that may matter beside it."""
        key = stored.event.key
        instructions = await self._ledger.instructions(key)
        seen = Situation(
            now=now,
            stored=stored,
            program=self._portfolio.program_of(stored.event),
            window=closed_window(stored.event, now, self._options.horizon),
            sites=self._portfolio.addressed(stored.event),
            plans=await self._ledger.plans(key),
            newest=_newest(instructions),
        )
        moved = await moved_before(self._ledger, stored, events, instructions)
        offers = [
            await self._offer(seen, site, events, moved.get(site.site_id, ()))
            for site in seen.sites
        ]
        baseline = total([one.baseline for one in offers if len(one.baseline)])
        rivalry = await self._rivals.of(stored, events, now)
        return replace(
            seen,
            flexibilities=tuple(rivalry.leaves(one) for one in offers),
            baseline=baseline,
            target=rivalry.target(await self._target(seen, baseline)),
            rivalry=rivalry,
            limits=limits(
                seen.sites,
                seen.plans,
                await self._history.of(stored.event.program_id, events, now),
                self._splitting,
                now,
                ends_known=stored.event.window.end is not None,
                scope=seen.scope,
            ),
        )

    def in_order(self, events: Sequence[StoredEvent], now: datetime) -> Sequence[StoredEvent]:
        """Strongest first: the weaker see what those were given. Those without a claim are last."""
        place = {
            one.event.key: index for index, one in enumerate(self._rivals.ordered(events, now))
        }
        return sorted(events, key=lambda one: place.get(one.event.key, len(place)))

    async def _offer(
        self,
        seen: Situation,
        site: Site,
        events: Sequence[StoredEvent],
        moved: Sequence[Interval],
    ) -> SiteFlexibility:
        load = ExpectedLoad(series=StepSeries(), note="unknown program")
        if seen.program is not None:
            excluded = seen.program.method.excluded_programs
            others = other_events(self._portfolio, events, seen.event.key, site.site_id, excluded)
            load = await self._baselines.expected(
                site,
                seen.program,
                seen.event,
                seen.window,
                others,
                seen.now,
                notified=seen.stored.notified_at,
                moved=moved,
                scope=seen.scope,
            )
        readings = self._live.site(site.site_id).readings
        start, end = max(seen.now, seen.window.start), seen.window.end
        ahead = Interval(start=start, end=max(start, end) if end else None)
        told = await self._offers.of(site.site_id, ahead, seen.now, seen.scope)
        blocked = self._blocked(seen, site.site_id)
        if told is None and seen.scope is not Scope.SITE:
            blocked = blocked or f"it does not tell what {seen.scope.words} could give"
        return offer(
            site.site_id,
            baseline=load.series,
            note="; ".join(filter(None, (seen.scope.words, load.note))),
            power=seen.scope.read(readings.get(seen.scope.point)),
            flex_down=readings.get(points.FLEX_DOWN_W),
            now=seen.now,
            max_age=self._max_age(seen.now),
            blocked=blocked,
            told=told,
            zone=site.time_zone,
        )

    def _max_age(self, now: datetime) -> timedelta:
        """A restart of ours must not look like the loss of every site."""
        just_begun = now - self._live.began < self._options.stale_after
        return self._options.warm_up if just_begun else self._options.stale_after

    def _blocked(self, seen: Situation, site_id: str) -> str:
        """Why a site is out of the event whatever it offers; empty when it is not."""
        if site_id in seen.stored.opted_out_sites:
            return "opted out"
        last = seen.newest.get(site_id)
        if last is None or not last.instruction.steps:
            return ""
        current = any(
            plan.revision == last.revision and plan.modification == seen.event.modification
            for plan in seen.plans
        )
        refused = [s.reason for s in last.statuses if s.state is InstructionState.REJECTED]
        if refused and current:
            return f"it refused its instruction: {refused[-1] or 'no reason given'}"
        waiting = seen.now - last.instruction.issued_at
        if not last.statuses and waiting > self._options.undelivered_after:
            return "it has not taken its instruction"
        return ""

    async def _target(self, seen: Situation, baseline: StepSeries) -> StepSeries:
        """What the event asks for."""
        if seen.program is None:
            return StepSeries()
        promised = await self._commitments.of(seen.program.program_id, seen.window)
        nothing = StepSeries.of([(seen.window, 0.0)])
        nominated = total(
            [nothing]
            + [
                promised[site.site_id]
                for site in seen.sites
                if site.site_id not in seen.stored.opted_out_sites
            ]
        )
        event = replace(seen.event, window=seen.window)
        return reduction_target(seen.program, event, nominated, baseline)


def target_load(baseline: StepSeries, target: StepSeries) -> StepSeries:
    """The load to stay under: baseline less reduction asked."""
    return pointwise(lambda pair: pair[0] - pair[1], (baseline, target))


def _newest(instructions: Iterable[StoredInstruction]) -> Mapping[str, StoredInstruction]:
    found: dict[str, StoredInstruction] = {}
    for one in sorted(instructions, key=lambda s: s.instruction.site_seq):
        found[one.instruction.site_id] = one
    return found
