"""What the flows need from the outside, as small protocols in our own words."""

from gateway.ports.access import (
    AccessBook,
    Door,
    Issuer,
    SitePresence,
    StoredCredential,
    StoredToken,
)
from gateway.ports.delivery import DeliveryMemory
from gateway.ports.metering import Delivered, Delivery, MeterStore, StoredInterval
from gateway.ports.nominations import NominationBook
from gateway.ports.prices import BusyError, PriceMemory, PriceSource
from gateway.ports.sites import SiteLink, SiteMessages
from gateway.ports.statements import StatementBook
from gateway.ports.store import (
    MAX_CLOCK_AHEAD,
    JournalEntry,
    Ledger,
    SiteChoice,
    SiteOptOut,
    StoredEnvelope,
    StoredEvent,
    StoredInstruction,
    TelemetryStore,
)
from gateway.ports.utilities import (
    ControlSource,
    EnvelopeIntake,
    EventIntake,
    EventParticipation,
    Participation,
    ReportPoint,
    ReportSource,
    ResourceState,
    SiteControl,
    SiteState,
    SiteStates,
    UsageSource,
    UtilityHealth,
    UtilityLink,
    UtilityMemory,
)

__all__ = [
    "MAX_CLOCK_AHEAD",
    "AccessBook",
    "BusyError",
    "ControlSource",
    "Delivered",
    "Delivery",
    "DeliveryMemory",
    "Door",
    "EnvelopeIntake",
    "EventIntake",
    "EventParticipation",
    "Issuer",
    "JournalEntry",
    "Ledger",
    "MeterStore",
    "NominationBook",
    "Participation",
    "PriceMemory",
    "PriceSource",
    "ReportPoint",
    "ReportSource",
    "ResourceState",
    "SiteChoice",
    "SiteControl",
    "SiteLink",
    "SiteMessages",
    "SiteOptOut",
    "SitePresence",
    "SiteState",
    "SiteStates",
    "StatementBook",
    "StoredCredential",
    "StoredEnvelope",
    "StoredEvent",
    "StoredInstruction",
    "StoredInterval",
    "StoredToken",
    "TelemetryStore",
    "UsageSource",
    "UtilityHealth",
    "UtilityLink",
    "UtilityMemory",
]
