"""What the counts of `wire.tally.Tally` mean, and what to do about them."""

from __future__ import annotations

from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    "bad frame": "no OCPP-J message; look at it with `trace`, then ask the vendor",
    "bad call": "a message that cannot be read or is not known; it was refused by CALLERROR",
    "bad sample": "a meter value in an unknown unit or no number; the others were used",
    "answer to nothing": "an answer nobody waits for (any more): it answers too late, or twice",
    "flood": "more messages at once than OCPP allows; the connection was closed",
    "frame refused": "a message larger than allowed, or against the WebSocket protocol",
    "deaf": "three of our messages in a row found no answer; the connection was closed",
    "second connection": "it connected again while connected; the newer connection is used",
    "unreadable timestamp": "a time that cannot be read; the moment of arrival was taken",
    "sample told late": "meter values of the past, after an outage; not used for control",
    "sample of no believable time": "meter values from another age or the future; not used",
    "transaction event missing": "numbers are missing in a transaction's events; some were lost",
    "security event": "it told something about its security; see `show`",
    "unreadable report entry": "a setting or profile in its report that cannot be read",
    "charging limit without a schedule": "another system limits it, but it does not say to what",
    "cloud away": "its cloud CSMS could not be reached; nothing is lost",
    "order of the cloud refused": "its cloud asked for what would break the site's limits",
    "message refused by the cloud": "its cloud did not take a message of the charger",
    "message of a transaction the cloud refused": "its cloud has never taken that transaction",
    "answer of the cloud malformed": "its cloud answered what the standard does not allow",
    "message for the cloud not stored": "it waits in memory alone; see to the disk",
    "message for the cloud unreadable": "a stored message was spoilt; its cloud does not get it",
    "message for the cloud not deleted": "its cloud may be told it again after our restart",
    "unreadable event": "an event that cannot be read; the others of the message were used",
    "DER alarm": "a grid function of the charger has acted by itself",
    "power reads zero while energy climbs": "its power is wrong; the energy register is used",
}


def meaning(kind: str) -> str:
    """Of one kind; empty when there is nothing to add."""
    return MEANINGS.get(kind, "")
