"""Installs charging profiles: climbs the ladder of forms and remembers what a charger takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from contracts.errors import PermanentError
from site_agent.devices.ocpp.limits.profiles import (
    Capabilities,
    ChargingProfile,
    Form,
    LeaseTerms,
    Purpose,
    lease_forms,
    lease_profile,
    resting_forms,
    resting_profile,
)
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.wire.frames import CallRefusedError
from site_agent.devices.ocpp.wire.outbox import Priority
from site_agent.devices.ocpp.wire.session import Session
from site_agent.domain.device import ChargerSpec

_NOT_THERE = ("NotImplemented", "NotSupported")
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
        their_time: Callable[[], datetime],
    ) -> None:
        self._spec = spec
        self._connector = connector
        self._alone = alone
        self._their_time = their_time
        self._resting_form: Form | None = None
        self._lease_form: Form | None = None
        self.refuses_zero = False
        """It has turned a limit of 0 A into its minimum."""
        self.lease_key = ("lease", connector)
        """Key of the CALL that carries a limit."""

    @property
    def overwrites_rest(self) -> bool:
        """Whether limits go into the resting profile, for want of any other."""
        return self._lease_form is not None and self._lease_form.purpose is Purpose.TX_DEFAULT

    async def rest(self, link: Link) -> float:
        """Install the fail-safe share; what was accepted, A.

        Raises:
            PermanentError: refused in every form.
        """
        ladder = resting_forms(link.capabilities, self._connector, alone=self._alone)
        share_a = self._spec.fail_safe_current_a
        for limit_a in dict.fromkeys((share_a, max(share_a, self._spec.min_current_a))):
            for form in _first(self._resting_form, ladder):
                profile = resting_profile(
                    form, limit_a, self._spec, self._connector, self._their_time()
                )
                if await self._accepts(link, profile, Priority.RESTING):
                    self._resting_form = form
                    return limit_a
        raise PermanentError(f"{self._spec.evse_id}: refuses its fail-safe share in every form")

    async def lease(
        self, link: Link, limit_a: float, *, rest_a: float, lasting_s: float, transaction_ref: str
    ) -> float:
        """Install a limit that ends by itself; what was accepted: itself, or for 0 the minimum.

        Raises:
            PermanentError: refused in every form.
        """
        terms = LeaseTerms(
            spec=self._spec,
            connector=self._connector,
            lasting_s=lasting_s,
            rest_a=rest_a,
            max_periods=link.capabilities.max_periods,
            transaction_ref=transaction_ref,
        )
        floor_a = self._spec.min_current_a
        first_a = floor_a if limit_a <= 0 and self.refuses_zero else limit_a
        if await self._offer(link, first_a, terms):
            return first_a
        if first_a <= 0 and await self._offer(link, floor_a, terms):
            self.refuses_zero = True
            _log.warning("charger refuses 0 A", evse=self._spec.evse_id, floor_a=floor_a)
            return floor_a
        raise PermanentError(f"{self._spec.evse_id}: refuses {limit_a} A in every form")

    async def _offer(self, link: Link, limit_a: float, terms: LeaseTerms) -> bool:
        for form in self._ladder(link, limit_a):
            profile = lease_profile(form, limit_a, terms, self._their_time())
            if await self._accepts(link, profile, Priority.LIMIT):
                self._lease_form = form
                return True
        return False

    def _ladder(self, link: Link, limit_a: float) -> tuple[Form, ...]:
        """The form that worked last goes first; where one works, a refused 0 A means no 0 A."""
        proven = self._lease_form
        if proven is not None and limit_a <= 0:
            return (proven,)
        return _first(proven, lease_forms(link.capabilities, self._connector, self._resting_form))

    async def _accepts(self, link: Link, profile: ChargingProfile, priority: Priority) -> bool:
        key = self.lease_key if priority is Priority.LIMIT else ("rest", self._connector)
        try:
            answer = await link.session.call(
                link.dialect.set_profile(profile), key=key, priority=priority
            )
        except CallRefusedError as refusal:
            if refusal.code in _NOT_THERE:
                raise PermanentError(f"{self._spec.evse_id}: no smart charging") from refusal
            return False
        return link.dialect.accepted(answer)


def _first(proven: Form | None, ladder: tuple[Form, ...]) -> tuple[Form, ...]:
    """The ladder with the proven form at its top."""
    if proven is None or proven not in ladder:
        return ladder
    return tuple(dict.fromkeys((proven, *ladder)))
