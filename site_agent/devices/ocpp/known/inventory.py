"""What one charging station has told about itself, beside what its EVSEs are doing."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from site_agent.devices.ocpp.known.reports import Report, Reports
from site_agent.devices.ocpp.versions.words import HeldProfile, Setting
from site_agent.devices.ocpp.wire.tally import Tally

_MOST_EVENTS = 200
_MOST_TRANSACTIONS = 64
_MOST_KINDS = 100
_LARGEST_GAP = 1000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEvent:
    """Something a station thinks we should know (1.6 whitepaper, 2.0.1 A04)."""

    at: datetime
    """By the charger's clock."""
    kind: str
    info: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What an outlet last said of itself, in its version's own word."""

    status: str
    error: str | None = None
    """An error code, where the version has one and there is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleNeeds:
    """What the vehicle at an EVSE has asked for (ISO 15118, told by 2.0.1 K15)."""

    transfer: str
    departure: datetime | None = None
    energy_wh: float | None = None
    bidirectional: bool = False
    """It offers to discharge (2.1 V2X parameters, or a bidirectional mode of transfer)."""


class Inventory:
    """Kept while the process lives; every collection has an end."""

    def __init__(self, charge_point_id: str, tally: Tally) -> None:
        self._log = _log.bind(charge_point=charge_point_id)
        self._tally = tally
        self._ids = itertools.count(1)
        self._sequence: dict[str, int] = {}
        self.settings: tuple[Setting, ...] = ()
        """Of the newest full report, or answer of 1.6."""
        self.profiles: tuple[HeldProfile, ...] = ()
        """Of the newest report."""
        self._profile_parts: dict[int, int] = {}
        self.reports: Reports[Setting] = Reports("report", tally)
        self.profile_reports: Reports[HeldProfile] = Reports("profile report", tally)
        self.security_events: deque[SecurityEvent] = deque(maxlen=_MOST_EVENTS)
        self.conditions: dict[int, Condition] = {}
        """By connector (1.6) or EVSE; 0: the station."""
        self.needs: dict[int, VehicleNeeds] = {}
        """By EVSE, until its vehicle has gone."""
        self.progress: dict[str, str] = {}
        """State of the newest transfer: `firmware`, `log`, `diagnostics`."""
        self.notices: Counter[str] = Counter()
        """How often which message was told that is only noted."""

    def next_request_id(self) -> int:
        """For requests whose answer comes later."""
        return next(self._ids)

    def reported(self, report: Report[Setting] | None) -> None:
        """The settings are known now, if the report has ended."""
        if report is not None:
            self.settings = report.entries

    def profiles_reported(
        self, request_id: int, found: Sequence[HeldProfile], *, more: bool
    ) -> None:
        """A part of a report of charging profiles; these parts have no number of their own."""
        seq_no = self._profile_parts.pop(request_id, 0)
        report = self.profile_reports.take(request_id, seq_no, found, more=more)
        if report is None:
            self._profile_parts[request_id] = seq_no + 1
            while len(self._profile_parts) > _MOST_TRANSACTIONS:
                del self._profile_parts[next(iter(self._profile_parts))]
            return
        self.profiles = report.entries

    def security_event(self, event: SecurityEvent) -> None:
        """Keep it, and tell whoever reads the log."""
        self._log.warning("security event", kind=event.kind, info=event.info)
        self._tally.note("security event", kind_of_event=event.kind)
        self.security_events.append(event)

    def noted(self, kind: str) -> None:
        """Count a message that changes nothing here."""
        if kind in self.notices or len(self.notices) < _MOST_KINDS:
            self.notices[kind] += 1

    def transfer(self, what: str, status: str) -> None:
        """A transfer has got somewhere."""
        if self.progress.get(what) != status:
            self._log.info("charger reports a transfer", transfer=what, status=status)
        self.progress[what] = status

    def sequence(self, transaction_ref: str, seq_no: int) -> None:
        """Count events of a transaction that never came; those told late close no gap."""
        last = self._sequence.pop(transaction_ref, None)
        if last is not None and seq_no > last + 1:
            self._tally.note("transaction event missing", min(seq_no - last - 1, _LARGEST_GAP))
        self._sequence[transaction_ref] = seq_no if last is None else max(last, seq_no)
        while len(self._sequence) > _MOST_TRANSACTIONS:
            del self._sequence[next(iter(self._sequence))]

    def unplugged(self, evse_id: int) -> None:
        """Its vehicle has gone."""
        self.needs.pop(evse_id, None)
