"""Installs charging profiles: climbs the ladder of forms and remembers what a charger takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from contracts.errors import PermanentError
from site_agent.devices.ocpp.limits.knowledge import Experience
from site_agent.devices.ocpp.limits.profiles import (
    Capabilities,
    ChargingProfile,
    Form,
    LeaseTerms,
    Purpose,
    RateUnit,
    Supply,
    lease_forms,
    lease_profile,
    resting_forms,
    resting_profile,
)
from site_agent.devices.ocpp.limits.wear import Wear
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.wire.frames import CallRefusedError
from site_agent.devices.ocpp.wire.outbox import Priority
from site_agent.devices.ocpp.wire.session import Session
from site_agent.domain.device import ChargerSpec

_NOT_THERE = ("NotImplemented", "NotSupported")
_MOST_STATION_MAX = 4
"""A station's maximum is written this often a day at most: makers warn that it wears the flash."""
_DAY = timedelta(days=1)
_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Link:
    """A connection as the EVSEs use it; `ready` once the charger's capabilities are read."""

    session: Session
    dialect: Dialect
    capabilities: Capabilities = field(default_factory=Capabilities)
    ready: bool = False


class Installer:
    """The profiles of one EVSE. Every method raises TransientError when there is no answer."""

    def __init__(
        self,
        spec: ChargerSpec,
        connector: int,
        *,
        alone: bool,
        now: Callable[[], datetime],
        their_time: Callable[[datetime], datetime],
    ) -> None:
        self._spec = spec
        self.connector = connector
        self._alone = alone
        self._now = now
        self._their_time = their_time
        self._maxima: deque[datetime] = deque(maxlen=_MOST_STATION_MAX)
        self._rungs: tuple[object, tuple[Form, ...]] = (None, ())
        """The newest ladder, and what it was made from."""
        self.experience = Experience()
        self.wear = Wear()
        self.supply = Supply.of(spec)
        """The phases and voltage that limits in W are reckoned with."""
        self.lease_key = ("lease", connector)
        """Key of the CALL that carries a limit."""

    @property
    def overwrites_rest(self) -> bool:
        """Whether limits go into the resting profile, for want of any other."""
        lease = self.experience.known.lease
        return lease is not None and lease.purpose is Purpose.TX_DEFAULT

    @property
    def in_watts(self) -> bool:
        """Whether limits are told in W."""
        lease = self.experience.known.lease
        return lease is not None and lease.unit is RateUnit.WATT

    async def rest(self, link: Link) -> float:
        """Install the fail-safe share; what was accepted, A.

        Raises:
            PermanentError: refused in every form.
        """
        known = self.experience.known
        ladder = resting_forms(
            link.capabilities, self.connector, alone=self._alone, high=known.outranked
        )
        share_a, now = self._spec.fail_safe_current_a, self._now()
        for limit_a in dict.fromkeys((share_a, max(share_a, self._spec.min_current_a))):
            for form in _first(None if known.outranked else self._own(known.resting), ladder):
                profile = resting_profile(
                    form, limit_a, self.supply, self.connector, self._their_time(now)
                )
                if await self._accepts(link, profile, Priority.RESTING, now):
                    await self.experience.learn(resting=_anyone(form), smart_charging=True)
                    return limit_a
        raise PermanentError(f"{self._spec.evse_id}: refuses its fail-safe share in every form")

    async def lease(
        self,
        link: Link,
        limit_a: float,
        *,
        rest_a: float,
        lasting_s: float,
        transaction_ref: str,
        now: datetime,
    ) -> float:
        """Install a limit that ends by itself; what was accepted: itself, or for 0 the minimum.

        Where a negative one is refused, 0 is tried.

        Raises:
            PermanentError: refused in every form.
        """
        if self.experience.known.smart_charging is False:
            raise PermanentError(f"{self._spec.evse_id}: no smart charging")
        terms = LeaseTerms(
            supply=self.supply,
            connector=self.connector,
            lasting_s=lasting_s,
            rest_a=rest_a,
            max_periods=link.capabilities.max_periods,
            transaction_ref=transaction_ref,
        )
        if limit_a < 0:
            if await self._offer(link, limit_a, terms, now):
                return limit_a
            limit_a = 0.0  # it does not feed back; then it rests at least
        floor_a = self._spec.min_current_a
        first_a = floor_a if limit_a <= 0 and self.experience.known.refuses_zero else limit_a
        if await self._offer(link, first_a, terms, now):
            return first_a
        if first_a <= 0 and await self._offer(link, floor_a, terms, now):
            await self.experience.learn(refuses_zero=True)
            _log.warning("charger refuses 0 A", evse=self._spec.evse_id, floor_a=floor_a)
            return floor_a
        raise PermanentError(f"{self._spec.evse_id}: refuses {limit_a} A in every form")

    async def _offer(self, link: Link, limit_a: float, terms: LeaseTerms, now: datetime) -> bool:
        for form in self._ladder(link, limit_a):
            profile = lease_profile(form, limit_a, terms, self._their_time(now))
            if await self._accepts(link, profile, Priority.LIMIT, now):
                await self.experience.learn(lease=_anyone(form))
                return True
        return False

    def _ladder(self, link: Link, limit_a: float) -> tuple[Form, ...]:
        """The form that worked last goes first; where one works, a refused 0 A means no 0 A."""
        proven = self._own(self.experience.known.lease)
        if proven is not None and limit_a <= 0:
            return (proven,)
        resting = self._own(self.experience.known.resting)
        asked = (link.capabilities, proven, resting)
        if asked != self._rungs[0]:
            forms = lease_forms(link.capabilities, self.connector, resting)
            self._rungs = (asked, _first(proven, forms))
        return self._rungs[1]

    async def _accepts(
        self, link: Link, profile: ChargingProfile, priority: Priority, now: datetime
    ) -> bool:
        station_max = profile.form.purpose is Purpose.STATION_MAX
        if station_max and self._worn(now):
            return True  # it holds the one accepted before: this profile never ends
        key = self.lease_key if priority is Priority.LIMIT else ("rest", self.connector)
        try:
            answer = await link.session.call(
                link.dialect.set_profile(profile), key=key, priority=priority
            )
        except CallRefusedError as refusal:
            knows_profiles = priority is Priority.LIMIT and self.experience.known.smart_charging
            if refusal.code in _NOT_THERE and not station_max and not knows_profiles:
                await self.experience.learn(smart_charging=False)
                raise PermanentError(f"{self._spec.evse_id}: no smart charging") from refusal
            return False
        accepted = link.dialect.accepted(answer)
        if accepted:
            self.wear.wrote(now)
            if station_max:
                self._maxima.append(now)
        return accepted

    async def stop(self, link: Link, transaction_ref: str | None, limit_a: float) -> None:
        """End the transaction for a limit of 0 A: all that a charger without profiles can do.

        Raises:
            PermanentError: another limit, no transaction, or refused.
        """
        if transaction_ref is None or limit_a > 0:
            raise PermanentError(f"{self._spec.evse_id}: knows no limits, can only be stopped")
        answer = await link.session.call(
            link.dialect.stop(transaction_ref), key=self.lease_key, priority=Priority.LIMIT
        )
        if not link.dialect.accepted(answer):
            raise PermanentError(f"{self._spec.evse_id}: knows no limits, refuses to stop")
        _log.warning("charger without limits stopped", evse=self._spec.evse_id)

    def _worn(self, now: datetime) -> bool:
        return len(self._maxima) == _MOST_STATION_MAX and now - self._maxima[0] < _DAY

    def _own(self, form: Form | None) -> Form | None:
        """A form of the model's as this EVSE uses it."""
        if form is None or form.connector in (0, self.connector):
            return form
        return replace(form, connector=self.connector)


def _anyone(form: Form) -> Form:
    """A form as any EVSE of the model could use it."""
    return form if form.connector in (0, 1) else replace(form, connector=1)


def _first(proven: Form | None, ladder: tuple[Form, ...]) -> tuple[Form, ...]:
    """The ladder with the proven form at its top."""
    if proven is None or proven not in ladder:
        return ladder
    return tuple(dict.fromkeys((proven, *ladder)))
