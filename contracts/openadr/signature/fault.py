"""Why a signature is refused."""

from __future__ import annotations

from enum import StrEnum

from contracts.errors import ProtocolError


class SignatureFault(StrEnum):
    """What is wrong with a signed message."""

    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    """Not the structure of the profile, or an `Id` that two elements have."""
    ALGORITHM = "algorithm"
    """One that the profile does not have, or a key too short for it."""
    UNTRUSTED = "untrusted"
    """No certificate in it has a trusted fingerprint."""
    EXPIRED = "expired"
    """The certificate is not valid now."""
    BROKEN = "broken"
    """The signature is not by that key, or not over that SignedInfo."""
    REFERENCE = "reference"
    """Something else is signed than this message and its ReplayProtect."""
    TAMPERED = "tampered"
    """What is signed has changed."""
    NO_REPLAY_PROTECT = "no_replay_protect"
    STALE = "stale"
    FUTURE = "future"
    REPLAYED = "replayed"


class SignatureError(ProtocolError):
    """A message that must not be believed."""

    def __init__(self, fault: SignatureFault, reason: str) -> None:
        super().__init__(f"signature refused: {reason}")
        self.fault = fault
