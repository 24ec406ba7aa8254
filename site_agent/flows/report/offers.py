"""The site's offer: made anew every minute off the control loop's way, told when it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.site_link.messages import MAX_OFFERED_SLOTS, FlexibilityOffer, OfferedSlot
from contracts.site_link.parts import OfferedPart
from contracts.time import Clock
from site_agent.domain.flexibility.now import vehicles_down_w
from site_agent.domain.flexibility.offer import Offer
from site_agent.domain.flexibility.offer import OfferedPart as Part
from site_agent.domain.flexibility.offer import OfferedSlot as Slot
from site_agent.domain.flexibility.offering import offer
from site_agent.domain.policy import ControlPolicy
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.report.prospects import Look
from site_agent.ports import Outbox

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=60)
_FIRST = timedelta(seconds=5)
"""Until there is one: after a start, or while the meter is stale."""
KEPT = timedelta(minutes=5)
"""An offer older than this says nothing of now."""
RETOLD = timedelta(minutes=15)
"""An offer is told again after this, changed or not."""
_MOVED_SHARE = 0.05
"""... or when the next hours have moved by more than this of the contract."""
_NEAR = 8
"""Slots that count as the next hours."""
_LARGEST_W = 1e9


class Offers:
    """Keeps the newest offer, and tells a gateway that takes offers."""

    def __init__(
        self,
        *,
        latest: Callable[[], Cycle | None],
        look: Look,
        outbox: Outbox,
        taken: Callable[[], bool],
        clock: Clock,
        policy: ControlPolicy,
        prices_id: Callable[[], str] = lambda: "",
    ) -> None:
        self._latest = latest
        self._look = look
        self._outbox = outbox
        self._taken = taken
        self._clock = clock
        self._policy = policy
        self._prices_id = prices_id
        self._told_prices = ""
        self._told: Offer | None = None
        self.newest: Offer | None = None
        """The last one made; None: none yet, or the meter is stale."""

    async def run(self) -> None:
        """Make and tell offers until cancelled."""
        while True:
            try:
                await self.refresh()
            except TransientError as error:
                log.error("offer not stored", why=str(error))  # noqa: TRY400 (the disk, not us)
            await self._pause()

    async def _pause(self) -> None:
        """Until the next is due, or a gateway has come that has been told none yet."""
        left = EVERY if self.newest else _FIRST
        while left > timedelta(0):
            await self._clock.sleep(_FIRST.total_seconds())
            left -= _FIRST
            if self.newest is not None and self._told is None and self._taken():
                return

    async def refresh(self) -> None:
        """Make one from the last control cycle; it takes some 0.1 s, so a thread does it."""
        cycle = self._latest()
        if cycle is None:
            return
        ahead, prices_id = self._look(cycle), self._prices_id()
        snapshot, decision = cycle.snapshot, cycle.decision
        now_w = 0.0
        if decision.building_w is not None:
            now_w = vehicles_down_w(snapshot, decision.envelope, decision.building_w, self._policy)
        try:
            made = await asyncio.to_thread(offer, snapshot, ahead, self._policy, now_w)
        except (ValueError, ArithmeticError, LookupError) as error:
            self.newest = None  # an offer is a service to others: the site goes on without
            log.error("no offer", why=repr(error))  # noqa: TRY400 (told, not raised)
            return
        self.newest = made
        contract_w = snapshot.model.contract_limit_w
        if made is None or not self._taken():
            return
        if prices_id != self._told_prices or _news(self._told, made, contract_w):
            await self._outbox.append([row_of(made, prices_id)])
            self._told, self._told_prices = made, prices_id

    def proved(self, now: datetime) -> float:
        """How much of what vehicles could put off now can be promised, 0 to 1.

        All of it without an offer that is new enough: then the test by energy stands alone.
        """
        newest = self.newest
        return 1.0 if newest is None or now - newest.at > KEPT else newest.proved


def _news(told: Offer | None, made: Offer, contract_w: float) -> bool:
    if told is None or made.at - told.at >= RETOLD:
        return True
    before = {slot.start: slot for slot in told.slots}
    pairs = [(before.get(slot.start), slot) for slot in made.slots[1 : _NEAR + 1]]
    return any(
        old is not None and _apart_w(old, new) > _MOVED_SHARE * contract_w for old, new in pairs
    )


def _apart_w(old: Slot, new: Slot) -> float:
    return max(
        abs(old.down_w - new.down_w), abs(old.up_w - new.up_w), abs(old.expected_w - new.expected_w)
    )


def row_of(made: Offer, prices_id: str = "") -> FlexibilityOffer:
    """The offer as the link carries it, in whole watts; `prices_id`: what its plan was made for."""
    return FlexibilityOffer(
        at=made.at,
        step_s=made.step.total_seconds(),
        notice_s=made.notice.total_seconds(),
        ramp_w_per_min=_watts(made.ramp_w_per_min),
        data_age_s=max(0.0, made.data_age.total_seconds()),
        slots=tuple(_slot(slot) for slot in made.slots[:MAX_OFFERED_SLOTS]),
        prices_id=prices_id,
    )


def _slot(slot: Slot) -> OfferedSlot:
    return OfferedSlot(
        start=slot.start,
        expected_w=_signed(slot.expected_w),
        down_w=_watts(slot.down_w),
        down_sure_w=_watts(slot.down_sure_w),
        lasts_s=slot.lasts.total_seconds(),
        up_w=_watts(slot.up_w),
        rebound_w=_watts(slot.rebound_w),
        rebound_wh=_watts(slot.rebound_wh),
        rebound_at=slot.rebound_at,
        again_at=slot.again_at,
        parts=tuple(_part(part) for part in slot.parts),
    )


def _part(part: Part) -> OfferedPart:
    return OfferedPart(
        device_class=part.device_class.value,
        expected_w=_signed(part.expected_w),
        down_w=_watts(part.down_w),
        down_sure_w=_watts(part.down_sure_w),
        up_w=_watts(part.up_w),
        curtail_w=_watts(part.curtail_w),
    )


def _signed(value: float) -> float:
    return float(round(max(-_LARGEST_W, min(_LARGEST_W, value))))


def _watts(value: float) -> float:
    """Rounded down: what is offered is never more than was proved."""
    return float(int(max(0.0, min(_LARGEST_W, value))))
