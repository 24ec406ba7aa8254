"""What a station is told to do, and what its version demands."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class StationSettings:
    """What a central system may read and write; intervals in s, 0 switches off."""

    heartbeat_interval_s: int = 300
    meter_interval_s: int = 10
    local_list: bool = True
    local_pre_authorize: bool = False
    """Start on the station's own word and let the central system object."""
    local_authorize_offline: bool = False
    offline_unknown: bool = False
    """Offline, start even for tokens nobody knows."""
    remote_needs_authorization: bool = False
    password: str | None = None
    """Basic password set by the central system, in place of the configured one."""
    security_profile: int = 0
    connection_timeout_s: int = 60
    """How long a remote start waits for a vehicle; 0: it does not."""
    kept: dict[str, str] = field(default_factory=dict)
    """Values written to settings that are kept and have no other effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Where the versions differ in substance, not in words."""

    own_transaction_ids: bool
    """2.0.1: the station names a transaction; 1.6: the central system does."""
    tx_id_required: bool
    refuses_duplicates: bool
    """2.0.1 refuses a second id for one place in the stack; 1.6 lets it replace the first."""
