"""The cloud's charging profiles for one station, kept here in the charger's place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from contracts.errors import ProtocolError
from contracts.time import Clock
from site_agent.devices.ocpp.proxy import reading
from site_agent.devices.ocpp.proxy.ledger import Ledger
from site_agent.devices.ocpp.proxy.reading import ProfileError
from site_agent.devices.ocpp.proxy.schedules import CloudProfile, Outlet, Purpose, ceiling_a
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.domain.device import ChargerSpec
from site_agent.ports import KeyValues

_MOST = 30
_START_WITHIN = timedelta(minutes=5)
"""A profile that came with a remote start is for a transaction that begins within this span."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A profile and how the cloud worded it."""

    profile: CloudProfile
    wire: Json


class ProfileBook:
    """Set, clear and look up; kept over restarts. `changed` is called when a ceiling may differ."""

    def __init__(
        self,
        station: str,
        evses: Mapping[int, ChargerSpec],
        *,
        ledger: Ledger,
        memory: KeyValues,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self._key = f"cloud-profiles:{station}"
        self._evses = evses
        self._ledger = ledger
        self._memory = memory
        self._clock = clock
        self._changed = changed
        self._coming: dict[int, tuple[Kept, datetime]] = {}
        self.kept: list[Kept] = []

    async def load(self) -> None:
        """Go on where the process before this one ended."""
        text = await self._memory.get(self._key)
        try:
            for evse, transaction, wire in json.loads(text) if text else ():
                profile = reading.read(evse, wire, transaction)
                self.kept.append(Kept(profile=profile, wire=wire))
        except (ValueError, TypeError, ProtocolError):
            _log.exception("profiles of the cloud cannot be read", key=self._key)

    async def put(self, evse: int, wire: Json, transaction: str | None) -> None:
        """Keep a profile in place of one with its id, or its purpose, EVSE and stack level.

        `transaction`: the charger's id of the one it is for; None: the one that runs.

        Raises:
            ProfileError, CallFaultError: it cannot be kept.
        """
        self._check_place(evse)
        if reading.purpose_of(wire) is Purpose.TX:
            transaction = self._running(evse, transaction)
        profile = reading.read(evse, wire, transaction)
        others = [one for one in self.kept if not _replaces(profile, one.profile)]
        if len(others) >= _MOST:
            raise ProfileError(f"no more than {_MOST} profiles")
        self.kept = [*others, Kept(profile=profile, wire=wire)]
        await self._save()

    def expect(self, evse: int | None, wire: Json) -> None:
        """A profile that came with a remote start: for the next transaction there.

        Raises:
            ProfileError, CallFaultError: it cannot be kept.
        """
        place = evse or 0
        self._check_place(place)
        profile = reading.read(place, wire, None)
        if profile.purpose is not Purpose.TX:
            raise ProfileError("only a TxProfile comes with a start")
        until = self._clock.now() + _START_WITHIN
        self._coming[place] = (Kept(profile=profile, wire=wire), until)

    def unexpect(self, evse: int | None) -> None:
        """The start was refused."""
        self._coming.pop(evse or 0, None)

    async def began(self, evse: int, ref: str) -> None:
        """A transaction has begun: what was expected for it is its own now."""
        for place in (evse, 0):
            kept, until = self._coming.pop(place, (None, None))
            if kept is not None and until is not None and self._clock.now() < until:
                try:
                    await self.put(evse, kept.wire, ref)
                except ProtocolError as error:
                    _log.warning("a start's profile cannot be kept", reason=str(error))
                return

    async def ended(self, ref: str) -> None:
        """A transaction is over, and its profiles with it."""
        left = [one for one in self.kept if one.profile.transaction != ref]
        if len(left) < len(self.kept):
            self.kept = left
            await self._save()

    def find(self, matches: Callable[[Kept], bool]) -> list[Kept]:
        """Those that match."""
        return [one for one in self.kept if matches(one)]

    async def drop(self, doomed: Sequence[Kept]) -> None:
        """Forget these."""
        self.kept = [one for one in self.kept if one not in doomed]
        await self._save()

    # --- limits -----------------------------------------------------------------------------------

    @property
    def profiles(self) -> list[CloudProfile]:
        """All that are kept."""
        return [one.profile for one in self.kept]

    def outlet(self, evse: int) -> Outlet:
        """An EVSE with the transaction that runs there."""
        spec, running = self._evses[evse], self._ledger.running.get(evse)
        return Outlet(
            evse=evse,
            phases=len(spec.phases),
            voltage_v=spec.voltage_v,
            transaction=None if running is None else running.ref,
            began=None if running is None else running.began,
            sharing=len({*self._ledger.running, evse} & set(self._evses)),
        )

    def ceiling_a(self, evse: int, at: datetime) -> float | None:
        """Most the cloud allows an EVSE at `at`, A per phase; None: it does not say."""
        return ceiling_a(self.profiles, self.outlet(evse), at) if self.kept else None

    def _check_place(self, evse: int) -> None:
        if evse != 0 and evse not in self._evses:
            raise ProfileError(f"there is no EVSE {evse}")

    def _running(self, evse: int, transaction: str | None) -> str:
        """The transaction a TxProfile is for; it must run (1.6 §5.16.2, 2.0.1 K01.FR.03)."""
        running = self._ledger.running.get(evse)
        if running is None or transaction not in (None, running.ref):
            raise ProfileError("no such transaction runs there")
        return running.ref

    async def _save(self) -> None:
        held = [(one.profile.evse, one.profile.transaction, one.wire) for one in self.kept]
        await self._memory.put(self._key, json.dumps(held))
        self._changed()


def _replaces(new: CloudProfile, old: CloudProfile) -> bool:
    place = (new.purpose, new.evse, new.stack_level, new.transaction)
    return new.profile_id == old.profile_id or place == (
        old.purpose,
        old.evse,
        old.stack_level,
        old.transaction,
    )
