"""What goes on beside the limits of one EVSE: learning, counting writes, waking vehicles."""

from __future__ import annotations

from datetime import datetime

import structlog

from contracts.errors import PermanentError, TransientError
from site_agent.devices.ocpp.evse.transactions import Transaction
from site_agent.devices.ocpp.limits import readback
from site_agent.devices.ocpp.limits.follow import Follower
from site_agent.devices.ocpp.limits.installer import Installer, Link
from site_agent.devices.ocpp.limits.lapse import Sight
from site_agent.devices.ocpp.limits.resume import Resume, Step
from site_agent.devices.ocpp.versions.words import IdToken
from site_agent.domain.device import ChargerSpec
from site_agent.ports import KeyValues

_KEEP_WEAR_EVERY = 20
"""Writes after which their count is kept."""
_log = structlog.get_logger(__name__)


class Upkeep:
    """Call `tick` now and then."""

    def __init__(self, spec: ChargerSpec, installer: Installer, memory: KeyValues | None) -> None:
        self._spec = spec
        self._installer = installer
        self._memory = memory
        self._wear_key = f"ocpp/wear/{spec.evse_id}"
        self._kept_wear = 0
        self._resume = Resume(spec.min_current_a)
        self.follower = Follower()
        """What the meter shows of how it takes limits; fed by whoever has the samples."""

    @property
    def stuck(self) -> bool:
        """Its vehicle does not resume, whatever is tried."""
        return self._resume.stuck

    async def restore(self) -> None:
        """Go on counting writes."""
        text = None if self._memory is None else await self._memory.get(self._wear_key)
        if text is not None:
            self._installer.wear.recall(text)
            self._kept_wear = self._installer.wear.total

    def transaction_changed(self) -> None:
        """Another vehicle, or none."""
        self._resume.forget()

    async def tick(
        self, link: Link | None, transaction: Transaction | None, limit_a: float | None,
        sight: Sight | None, now: datetime,
    ) -> bool:  # fmt: skip
        """Look after everything; whether the limit must be told again."""
        await self._learn()
        await self._keep_wear()
        if link is None or transaction is None or limit_a is None or sight is None:
            return False
        step = await self._step(now, limit_a, sight)
        if step is None:
            return False
        _log.warning("vehicle does not resume", evse=self._spec.evse_id, trying=step.name)
        try:
            await self._try(step, link, transaction)
        except (TransientError, PermanentError) as error:
            _log.info("vehicle not woken", evse=self._spec.evse_id, reason=str(error))
        return step is not Step.GIVE_UP

    async def _learn(self) -> None:
        """What the meter has shown goes into what is known of the charger."""
        mine, seen_s = self._installer.experience, self.follower.follows_s
        known_s = mine.known.follows_s
        if seen_s is not None and (known_s is None or abs(seen_s - known_s) > 0.2 * known_s + 1):
            await mine.learn(follows_s=seen_s)
        if self.follower.spikes and not mine.known.spikes:
            await mine.learn(spikes=True)

    async def _keep_wear(self) -> None:
        wear = self._installer.wear
        if self._memory is not None and wear.total - self._kept_wear >= _KEEP_WEAR_EVERY:
            self._kept_wear = wear.total
            await self._memory.put(self._wear_key, wear.text())

    async def _step(self, now: datetime, limit_a: float, sight: Sight) -> Step | None:
        tried = self._resume.tried
        step = self._resume.step(now, limit_a=limit_a, drawn_a=sight.drawn_a, soc_pct=sight.soc_pct)
        if tried and not self._resume.tried:
            await self._installer.experience.learn(sticks=True)
        return step

    async def _try(self, step: Step, link: Link, transaction: Transaction) -> None:
        connector = self._installer.connector
        if step is Step.CLEAR_AND_SET:
            await readback.clear(link, connector)
        if step is Step.REMOTE_START and transaction.id_tag:
            token = IdToken(value=transaction.id_tag)
            request = link.dialect.start(token, connector, start_id=transaction.id)
            await readback.asked(link, request)
