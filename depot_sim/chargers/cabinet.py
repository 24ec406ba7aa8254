"""What a charger has beside its outlets, whatever version it speaks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from depot_sim.chargers.certificates import CertificateStore, StationKey
from depot_sim.chargers.dialect import Nameplate
from depot_sim.chargers.events import (
    EndReason,
    LimitedExternally,
    Message,
    SecurityMessage,
    Transaction,
)
from depot_sim.chargers.jobs import Job
from depot_sim.chargers.json_rpc import Json, timestamp
from depot_sim.chargers.profiles import (
    ChargingProfile,
    Period,
    Purpose,
    RateUnit,
    Selection,
)
from depot_sim.chargers.station import Station

EXTERNAL_ID = -1
"""Profile id of an external limit: negative ids are the station's own."""
_IDLE_CHECK = timedelta(seconds=1)


class Cabinet:
    """The controller: firmware, logs, certificates, and the way to say something by itself.

    `restart` restarts the charger after everything already waiting has been told.
    """

    def __init__(
        self,
        station: Station,
        nameplate: Nameplate,
        now: Callable[[], datetime],
        restart: Callable[[EndReason], None],
    ) -> None:
        self.station = station
        self.nameplate = nameplate
        self.now = now
        self._restart = restart
        self._waits_for_idle = False
        self.firmware = nameplate.firmware
        self.updates = Job(station.agenda)
        self.uploads = Job(station.agenda)
        self.certificates = CertificateStore()
        self.key = StationKey()

    def say(self, action: str, payload: Json, then: Callable[[Json], None] | None = None) -> None:
        """Send a CALL in its turn; `then` takes its answer."""
        self.station.outbox.put(Message(at=self.now(), action=action, payload=payload, then=then))

    def security_event(self, kind: str, info: str) -> None:
        """Tell a security event (white paper 1.6 A04, 2.0.1 A04)."""
        event = {"type": kind, "timestamp": timestamp(self.now()), "techInfo": info[:255]}
        self.station.outbox.put(
            SecurityMessage(at=self.now(), action="SecurityEventNotification", payload=event)
        )

    def start(
        self, evse_id: int | None, id_tag: str, begin: Callable[[int], Transaction | None]
    ) -> tuple[bool, Transaction | None]:
        """Begin a transaction at an outlet (None: any), or as soon as a vehicle comes.

        Whether it is or will be, and the transaction if it is.
        """
        station, wait_s = self.station, self.station.settings.connection_timeout_s
        if outlet := station.startable(evse_id, id_tag):
            return True, begin(outlet.id)
        if woken := station.wake(evse_id):
            return True, woken
        outlet = station.startable(evse_id, id_tag, plugged=False)
        if outlet is None or wait_s <= 0:
            return False, None
        until = self.now() + timedelta(seconds=wait_s)
        station.expected[outlet.id] = until, partial(begin, outlet.id)
        return True, None

    def limit_externally(self, current_a: float | None) -> None:
        """Let somebody else limit the station to `current_a` per phase, or (None) free it."""
        now, profile = self.now(), None
        self.station.clear_profiles(Selection(purpose=Purpose.EXTERNAL), now)
        if current_a is not None:
            profile = ChargingProfile(
                id=EXTERNAL_ID,
                evse_id=0,
                stack_level=0,
                purpose=Purpose.EXTERNAL,
                unit=RateUnit.AMPERE,
                periods=(Period(start_s=0, limit=current_a),),
                received_at=now,
                start=now,
            )
            self.station.set_profile(profile, now)
        self.station.outbox.put(LimitedExternally(at=now, profile=profile))

    def installed(self) -> None:
        """A firmware update is done: a new version, told by a boot."""
        major = int(self.firmware.split(".")[0])
        self.firmware = f"{major + 1}.0"

    def reset(self, reason: EndReason) -> None:
        """Restart now; nothing is left for a reset that was waiting."""
        self._waits_for_idle = False
        self._restart(reason)

    def reset_when_idle(self, reason: EndReason) -> None:
        """Restart as soon as no transaction runs: once, however often it is asked for."""
        if not self._waits_for_idle:
            self._waits_for_idle = True
            self._await_idle(reason)

    def _await_idle(self, reason: EndReason) -> None:
        if not self._waits_for_idle:
            return
        if any(outlet.transaction for outlet in self.station.outlets.values()):
            self.station.agenda.at(self.now() + _IDLE_CHECK, partial(self._await_idle, reason))
        else:
            self.reset(reason)
