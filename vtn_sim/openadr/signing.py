"""XML signatures of the VTN (profile rule 514): whether, by whom, and for whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from contracts.errors import ConfigError
from contracts.openadr import codec
from contracts.openadr.payloads import Payload
from contracts.openadr.signature import (
    ReplayCache,
    SignatureError,
    SignatureFault,
    Signer,
    SigningKey,
    Verifier,
)
from contracts.openadr.xml.envelope import parse
from vtn_sim.openadr.habits import SigningMode
from vtn_sim.openadr.registry import Registry, Ven

_SIGNED = b"Signature"
_MAX_AGE = timedelta(minutes=5)


def signing_key(cert: Path, key: Path) -> SigningKey:
    """The key in two files.

    Raises:
        ConfigError: unreadable, or no key to sign with.
    """
    try:
        return SigningKey(cert.read_bytes(), key.read_bytes())
    except OSError as error:
        raise ConfigError(f"no key to sign with: {error}") from error


class _Trusted:
    """Fingerprints of the VENs that have one in the settings, and of whom we talk to in TLS."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.peer: str | None = None

    def __contains__(self, fingerprint: object) -> bool:
        known = {ven.fingerprint for ven in self._registry.vens if ven.fingerprint}
        return fingerprint in known or (fingerprint is not None and fingerprint == self.peer)


class Signatures:
    """Signs what is sent and checks what comes, as far as `mode` asks for it.

    `accepted`: a signed message is checked and answered signed, another one is taken as it is.
    A VEN without a fingerprint in the settings is trusted by its TLS certificate.
    """

    def __init__(self, mode: SigningMode, key: SigningKey | None, registry: Registry) -> None:
        self.mode = mode
        self.signer = None if key is None else Signer(key)
        self._registry = registry
        self._trusted = _Trusted(registry)
        self._verifier = Verifier(self._trusted, ReplayCache(), max_age=_MAX_AGE)

    def receive(self, data: bytes, peer: str | None, now: datetime) -> codec.Received:
        """A message, whose signature holds if there must be one.

        Raises:
            SignatureError: there is none, or it does not hold.
            ProtocolError: it cannot be read.
        """
        if self.mode == "off" or (self.mode == "accepted" and not is_signed(data)):
            return codec.receive(data)
        self._trusted.peer = peer
        received = codec.receive_signed(data, self._verifier, now)
        self._check_owner(received, peer)
        return received

    def _check_owner(self, received: codec.Received, peer: str | None) -> None:
        """The signature must be of the VEN that the message names."""
        ven = self._owner(received.payload)
        if ven is None:
            return  # who is not known by name is refused later, if need be
        expected = ven.fingerprint or peer
        if expected != received.signed_by:
            raise SignatureError(
                SignatureFault.UNTRUSTED, f"by {received.signed_by}, and the VEN's is {expected}"
            )

    def _owner(self, payload: Payload) -> Ven | None:
        ven_id, name = getattr(payload, "ven_id", None), getattr(payload, "ven_name", None)
        for ven in self._registry.vens:
            if ven.ven_id == ven_id or (not ven_id and name and ven.name == name):
                return ven
        return None


def is_signed(data: bytes) -> bool:
    """Whether a document holds a signature at all.

    Raises:
        ProtocolError: it is no XML.
    """
    return _SIGNED in data and any("Signature" in str(child.tag) for child in parse(data))
