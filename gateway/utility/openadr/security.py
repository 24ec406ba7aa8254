"""What message security one VTN is spoken to with: signing, checking, tolerances (rule 514)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import structlog

from contracts.errors import ConfigError
from contracts.identity import certificate_der, openadr_fingerprint
from contracts.openadr import codec
from contracts.openadr.codec import Received
from contracts.openadr.payloads import Payload
from contracts.openadr.signature import (
    ReplayCache,
    SignatureError,
    SignatureFault,
    Signer,
    SigningKey,
    Verifier,
)
from contracts.time import Clock
from gateway.utility.openadr.settings import OpenAdrSettings

_log = structlog.get_logger(__name__)
_MARGIN = timedelta(minutes=1)


class MessageSecurity:
    """Seals our messages and opens the VTN's.

    What was signed before our start is refused: nobody remembers whether it was seen.

    Raises:
        ConfigError: our certificate or key cannot be read, or is not fit to sign with.
    """

    def __init__(self, settings: OpenAdrSettings, clock: Clock) -> None:
        self._clock = clock
        self._log = _log.bind(utility=settings.utility_id)
        self._tolerances = settings.tolerances
        self._expects_signatures = settings.expects_signatures
        self._signer = _signer(settings.cert, settings.key) if settings.sign else None
        self._verifier = _verifier(settings, clock) if settings.vtn_fingerprint else None
        self.fingerprint = openadr_fingerprint(certificate_der(settings.cert))
        """Of our certificate: what the utility has to know us by."""

    @property
    def signs(self) -> bool:
        """Whether our messages are signed."""
        return self._signer is not None

    def seal(self, document: bytes) -> bytes:
        """An encoded message as it goes out now: each call signs anew, with another nonce."""
        if self._signer is None:
            return document
        return self._signer.sign(document, self._clock.now())

    def open(self, data: bytes) -> Payload:
        """The message in `data`; nothing of it is read unless it is signed as it must be.

        Raises:
            SignatureError: unsigned although it must not be, or the signature does not hold.
            ProtocolError: as `codec.receive`.
        """
        try:
            return self._received(data).payload
        except SignatureError as error:
            self._log.warning(
                "openadr_signature_refused", fault=error.fault.value, error=str(error)
            )
            raise

    def _received(self, data: bytes) -> Received:
        if self._verifier is None:
            return codec.receive(data, allowed=self._tolerances)
        try:
            return codec.receive_signed(
                data, self._verifier, self._clock.now(), allowed=self._tolerances
            )
        except SignatureError as error:
            if self._expects_signatures or error.fault is not SignatureFault.UNSIGNED:
                raise
        return codec.receive(data, allowed=self._tolerances)


def _signer(cert: Path, key: Path) -> Signer:
    try:
        return Signer(SigningKey(cert.read_bytes(), key.read_bytes()))
    except OSError as error:
        raise ConfigError(f"{cert}, {key}: cannot be read: {error}") from error


def _verifier(settings: OpenAdrSettings, clock: Clock) -> Verifier:
    max_age = timedelta(seconds=settings.max_message_age_s)
    max_ahead = timedelta(seconds=settings.max_clock_ahead_s)
    cache = ReplayCache(keep=max_age + max_ahead + _MARGIN, since=clock.now())
    return Verifier(
        frozenset(settings.vtn_fingerprint), cache, max_age=max_age, max_ahead=max_ahead
    )
