"""What the flows need from the outside, as small protocols in our own words."""

from gateway.ports.sites import SiteLink, SiteMessages
from gateway.ports.store import (
    MAX_CLOCK_AHEAD,
    JournalEntry,
    Ledger,
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
    ReportPoint,
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
    "ControlSource",
    "EnvelopeIntake",
    "EventIntake",
    "JournalEntry",
    "Ledger",
    "ReportPoint",
    "SiteControl",
    "SiteLink",
    "SiteMessages",
    "SiteOptOut",
    "SiteState",
    "SiteStates",
    "StoredEnvelope",
    "StoredEvent",
    "StoredInstruction",
    "TelemetryStore",
    "UsageSource",
    "UtilityHealth",
    "UtilityLink",
    "UtilityMemory",
]
