"""What differs between the OCPP versions, as one interface without state.

A maker returns a `Request` for `Hearer.command`; a reader takes the answer. Each may raise
`UnsupportedError` where the version has no such message. What is too long or of a wrong value is
refused when it is sent, by the published schema (`OutboundError`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from site_agent.devices.ocpp.limits.profiles import Capabilities, ChargingProfile, RateUnit
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.hearing import Handler, Hearer
from site_agent.devices.ocpp.versions.words import (
    CertificateHash,
    Composite,
    Firmware,
    IdToken,
    LeafUse,
    LocalEntry,
    LogUpload,
    Nameplate,
    ProfileFilter,
    Reset,
    Retries,
    RootUse,
    Setting,
    Trigger,
)
from site_agent.devices.ocpp.wire.frames import Fault, Json
from site_agent.devices.ocpp.wire.outbox import Request

__all__ = ["Dialect", "Nameplate", "Trigger"]


class Operation(Protocol):
    """Commands a person would give. `connector` is the EVSE's number in 2.0.1."""

    def start(
        self,
        token: IdToken,
        connector: int | None,
        *,
        start_id: int,
        profile: ChargingProfile | None = None,
    ) -> Request:
        """Begin a transaction; `start_id` comes back in its events (2.0.1)."""
        ...

    def stop(self, transaction_ref: str) -> Request:
        """End the transaction with this id of the charger's (1.6: a decimal number)."""
        ...

    def reset(self, how: Reset, connector: int | None = None) -> Request:
        """Restart the station, or one EVSE of it (2.0.1)."""
        ...

    def unlock(self, connector: int) -> Request:
        """Let go of the cable."""
        ...

    def availability(self, connector: int | None, *, operative: bool) -> Request:
        """Take an outlet, or with None the whole station, in or out of service."""
        ...

    def trigger(self, message: Trigger, connector: int | None) -> Request:
        """Ask for a message."""
        ...

    def data_transfer(
        self, vendor_id: str, message_id: str | None = None, data: str | None = None
    ) -> Request:
        """A vendor's own message."""
        ...

    def accepted(self, answer: Json) -> bool:
        """Whether the charger did, or will do, what a request asked for.

        Some answers carry no verdict and count as no: 1.6 UpdateFirmware and lists of settings.
        """
        ...


class Configuration(Protocol):
    """Settings, by their names in the version (see `Setting`)."""

    def probe(self) -> Request:
        """A CALL every charger answers."""
        ...

    def read_settings(self) -> Request:
        """Ask for the settings that matter here."""
        ...

    def settings(self, answer: Json) -> dict[str, str]:
        """The settings of the answer that have a value."""
        ...

    def capabilities(self, settings: Mapping[str, str]) -> Capabilities:
        """What they say about smart charging."""
        ...

    def changes(
        self, settings: Mapping[str, str], meter_interval_s: int | None, heartbeat_s: int
    ) -> list[Sequence[Request]]:
        """Settings to change, none that is right already (flash wears out).

        Each entry lists ways to make one change, the best first.
        """
        ...

    def get(self, names: Sequence[str]) -> Request:
        """Ask for settings by name."""
        ...

    def found(self, answer: Json) -> list[Setting]:
        """What the answer to `get` (1.6: to `inventory` too) holds."""
        ...

    def change(self, name: str, value: str) -> Request:
        """Change one setting."""
        ...

    def change_password(self, password: str) -> Request:
        """Another HTTP Basic password, used from the next connection on.

        1.6 AuthorizationKey (in hexadecimal), 2.0.1 SecurityCtrlr.BasicAuthPassword.
        """
        ...

    def inventory(self, request_id: int) -> Request:
        """Ask for every setting: in 1.6 the answer has them, 2.0.1 reports them later."""
        ...


class SmartCharging(Protocol):
    """Charging profiles."""

    def set_profile(self, profile: ChargingProfile) -> Request:
        """Install a profile."""
        ...

    def clear_profiles(self, which: ProfileFilter) -> Request:
        """Remove profiles; an empty filter means all."""
        ...

    def ask_composite(
        self, connector: int, duration_s: int, unit: RateUnit | None = None
    ) -> Request:
        """Ask what all profiles together allow."""
        ...

    def composite(self, answer: Json, *, phases: int, voltage_v: float) -> Composite | None:
        """That, converted by the answer's own unit; None: unknown (refused, empty or absurd).

        `phases` is used where the answer says none.
        """
        ...

    def ask_profiles(self, request_id: int, which: ProfileFilter) -> Request:
        """Ask for the profiles it holds (not in 1.6); it reports them later."""
        ...


class Access(Protocol):
    """Who may charge while we cannot be asked, and reservations."""

    def clear_cache(self) -> Request:
        """Forget every verdict it remembers."""
        ...

    def ask_list_version(self) -> Request:
        """Ask for the version of the local authorisation list."""
        ...

    def list_version(self, answer: Json) -> int | None:
        """That; 0: it is empty, None: it has none."""
        ...

    def send_list(self, version: int, entries: Sequence[LocalEntry], *, full: bool) -> Request:
        """Replace the local list, or change it."""
        ...

    def reserve(
        self,
        reservation_id: int,
        connector: int | None,
        token: IdToken,
        until: datetime,
        group: IdToken | None = None,
    ) -> Request:
        """Keep an outlet, or with None any one, for somebody."""
        ...

    def cancel_reservation(self, reservation_id: int) -> Request:
        """Let it go."""
        ...


class Upkeep(Protocol):
    """Firmware, logs and certificates."""

    def update_firmware(
        self, request_id: int, firmware: Firmware, retries: Retries = ...
    ) -> Request:
        """Load and install a firmware."""
        ...

    def upload_log(self, request_id: int, log: LogUpload, retries: Retries = ...) -> Request:
        """Upload diagnostics or the security log."""
        ...

    def install_certificate(self, use: RootUse, pem: str) -> Request:
        """Trust a root certificate."""
        ...

    def delete_certificate(self, which: CertificateHash) -> Request:
        """Trust it no longer."""
        ...

    def ask_certificates(self, use: RootUse) -> Request:
        """Ask which root certificates it trusts."""
        ...

    def certificates(self, answer: Json) -> list[CertificateHash]:
        """Those."""
        ...

    def certificate_signed(self, chain_pem: str, use: LeafUse = LeafUse.STATION) -> Request:
        """The certificate it asked for by SignCertificate, with its chain."""
        ...


class Dialect(Operation, Configuration, SmartCharging, Access, Upkeep, Protocol):
    """One OCPP version."""

    @property
    def version(self) -> Version:
        """Which."""
        ...

    @property
    def discharges(self) -> bool:
        """Whether it has words for a vehicle that feeds back (a profile's negative limits)."""
        ...

    @property
    def requests(self) -> Sequence[str]:
        """Actions of ours that have a maker."""
        ...

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What serves the actions of chargers; each says in its docstring what it does."""
        ...

    @property
    def served(self) -> Sequence[str]:
        """Actions of chargers that are served."""
        ...

    def error_code(self, fault: Fault) -> str | None:
        """How the version spells a fault; None: such a frame is ignored, not answered."""
        ...

    async def serve(self, station: Hearer, action: str, payload: Json) -> Json:
        """Serve a CALL of the charger.

        Raises:
            CallFaultError: unknown or unreadable; the charger is told.
        """
        ...
