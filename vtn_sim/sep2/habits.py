"""What some servers do differently, each by name, so that a client can be shown to bear it."""

from __future__ import annotations

from contracts.config import Settings


class Habits(Settings):
    """Off is as the standard has it; most of these were seen at a server in use.

    Always so, as in the standard: a list read without `l` returns one item, a cancelled event stays
    listed for its original duration, powers beyond Int16 are taken.
    """

    creation_time_moves: bool = False
    """creationTime is the time of the last change: a superseded control ties with its successor."""
    supersede_at_creation: bool = False
    """A control is marked superseded as soon as its successor is created, not when that starts."""
    active_lists_superseded: bool = False
    """ActiveDERControlList still shows superseded controls while they last."""
    notify_without_pen: bool = False
    """Notifications end every mRID of ours in 00000000 instead of the PEN."""
    own_created_time: bool = False
    """The server puts its own createdDateTime on Responses and LogEvents."""
    short_hex: bool = False
    """HexBinary without leading zero octets: `0A` instead of `0000000A`."""
    lower_case_mrids: bool = False
    per_device_hrefs: bool = False
    """Programs, lists and Response sets have an address for each EndDevice."""
    subscribable_rate_components: bool = False
    """RateComponentList has an attribute `subscribable` that the schema does not know."""
    error_messages: bool = False
    """Errors have an element `message` that the schema does not know."""
    require_doe_modes: bool = False
    """DERCapability without CSIP-AUS `doeModesSupported` is refused."""
