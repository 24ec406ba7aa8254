"""What a charging station can be told and asked, in our words, whatever its version calls it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.errors import PermanentError
from site_agent.devices.ocpp.limits.profiles import Purpose, RateUnit


class UnsupportedError(PermanentError):
    """This OCPP version has no message for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameplate:
    """What a station says it is."""

    vendor: str
    model: str
    firmware: str | None


class Trigger(StrEnum):
    """Messages a charger can be asked for."""

    BOOT = "BootNotification"
    STATUS = "StatusNotification"
    METER = "MeterValues"
    HEARTBEAT = "Heartbeat"
    FIRMWARE = "FirmwareStatusNotification"
    LOG = "LogStatusNotification"
    """State of an upload of diagnostics or logs."""
    SIGN_CERTIFICATE = "SignChargingStationCertificate"
    """A request for a new certificate of its own (security profile 3)."""


class Reset(StrEnum):
    """How a station restarts."""

    SOFT = "soft"
    """It ends its transactions first (1.6 Soft), or waits for their end (2.0.1 OnIdle)."""
    HARD = "hard"
    """At once."""


class TokenKind(StrEnum):
    """What an identifier is (2.0.1 part 2 §3.43); 1.6 does not tell."""

    CENTRAL = "Central"
    EMAID = "eMAID"
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    KEY_CODE = "KeyCode"
    LOCAL = "Local"
    MAC_ADDRESS = "MacAddress"
    NONE = "NoAuthorization"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdToken:
    """Who charges. 1.6 takes 20 characters, 2.0.1 36, 2.1 255."""

    value: str
    kind: TokenKind = TokenKind.CENTRAL


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEntry:
    """One line of a charger's local authorisation list."""

    token: IdToken
    status: str | None = "Accepted"
    """Accepted, Blocked, Expired or Invalid; None takes the line out (differential updates)."""
    expires: datetime | None = None
    group: IdToken | None = None
    """Tags of one group may end each other's transactions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One configuration key (1.6), or one attribute of a variable (2.0.1 device model).

    `name` is `Key`, `Component.Variable` or `Component.Variable.Instance`, with `Component@2` where
    it belongs to EVSE 2.
    """

    name: str
    value: str | None
    readonly: bool = False
    component_instance: str | None = None
    evse: int | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFilter:
    """Which charging profiles are meant; what is None does not matter."""

    profile_id: int | None = None
    connector: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositePeriod:
    """From `start_s` after the schedule's start; A per phase, charging positive."""

    start_s: int
    limit_a: float
    phases: int | None = None
    """As the charger says; None: it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """What a charger says it will allow, all its profiles together."""

    start: datetime | None
    """By the charger's clock; None: from the moment of the answer."""
    duration_s: int | None
    periods: tuple[CompositePeriod, ...]
    """At least one, in order of time."""
    unit: RateUnit
    """Of the answer, before it was converted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldProfile:
    """A charging profile that a charger reports to hold."""

    profile_id: int
    connector: int
    purpose: str
    kind: str
    stack_level: int
    source: str
    """Who set it: CSO, EMS, SO or Other."""
    transaction_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a charger tries a transfer; None: as it likes."""

    times: int | None = None
    interval_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """A new firmware. With `signing_certificate` (PEM) and `signature` (base64) it is signed."""

    location: str
    retrieve_at: datetime
    install_at: datetime | None = None
    signing_certificate: str | None = None
    signature: str | None = None


class LogKind(StrEnum):
    """What is uploaded."""

    DIAGNOSTICS = "DiagnosticsLog"
    SECURITY = "SecurityLog"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogUpload:
    """Where a charger puts its log, and of which time."""

    kind: LogKind
    location: str
    """A URL with a folder, such as `ftp://` or `https://`."""
    since: datetime | None = None
    until: datetime | None = None


class RootUse(StrEnum):
    """What a root certificate in a charger vouches for; 1.6 knows the first two."""

    CENTRAL_SYSTEM = "CSMSRootCertificate"
    MANUFACTURER = "ManufacturerRootCertificate"
    V2G = "V2GRootCertificate"
    MOBILITY_OPERATOR = "MORootCertificate"
    OEM = "OEMRootCertificate"
    """From 2.1."""


class LeafUse(StrEnum):
    """What a certificate of the charger's own is for; 1.6 knows the first one."""

    STATION = "ChargingStationCertificate"
    V2G = "V2GCertificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateHash:
    """Names a certificate within a charger; hashes and serial number in hexadecimal."""

    algorithm: str
    """SHA256, SHA384 or SHA512."""
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
