"""Whether a device is ours to steer, and how one gets onto the server's list (6.9, 8.5)."""

from __future__ import annotations

from contracts.sep2.resources import Registration


def pin_fault(pin: int, registration: Registration | None) -> str | None:
    """What is wrong with the server's PIN, in words; a server may offer none (6.9.2)."""
    if registration is None or registration.pin == pin:
        return None
    return "the registration PIN is not the one configured"
