"""Who a peer is: TLS contexts with certificates on both sides, and names derived from them."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

from contracts.errors import ConfigError

_LFDI_BYTES = 20
_SFDI_NIBBLES = 9  # 36 bits
_OPENADR_BYTES = 10


def server_context(cert: Path, key: Path, client_ca: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer for a server that lets in only clients with a certificate of `client_ca`.

    Raises:
        ConfigError: a file is missing, unreadable, or the key does not fit the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _loaded(context, client_ca, cert, key)


def client_context(ca: Path, cert: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer for a client that trusts `ca` alone and checks the server's host name.

    With `cert` and `key` the client also shows who it is.

    Raises:
        ConfigError: a file is missing, unreadable, or the key does not fit the certificate.
    """
    return _loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca, cert, key)


def certificate_der(cert: Path) -> bytes:
    """The first certificate of a PEM file as DER.

    Raises:
        ConfigError: missing, or not a PEM certificate.
    """
    try:
        text = cert.read_text(encoding="ascii")
        end = text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
        return ssl.PEM_cert_to_DER_cert(text[text.index(ssl.PEM_HEADER) : end])
    except (OSError, ValueError) as error:
        raise ConfigError(f"{cert}: not a PEM certificate: {error}") from error


def lfdi(certificate: bytes) -> str:
    """Long-form device identifier of a DER certificate: 40 upper-case hex digits.

    The leftmost 160 bits of its SHA-256 (IEEE 2030.5-2018, 6.3).
    """
    return hashlib.sha256(certificate).digest()[:_LFDI_BYTES].hex().upper()


def sfdi(lfdi_hex: str) -> int:
    """Short-form device identifier: the leftmost 36 bits of the LFDI, then a check digit.

    The check digit makes the sum of all decimal digits a multiple of 10
    (IEEE 2030.5-2018, 6.3).
    """
    number = int(lfdi_hex[:_SFDI_NIBBLES], 16)
    return number * 10 + -sum(map(int, str(number))) % 10


def openadr_fingerprint(certificate: bytes) -> str:
    """The last 10 bytes of a DER certificate's SHA-256 as `AB:CD:...` (OpenADR 2.0b)."""
    return hashlib.sha256(certificate).digest()[-_OPENADR_BYTES:].hex(":").upper()


def _loaded(
    context: ssl.SSLContext, ca: Path, cert: Path | None, key: Path | None
) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(ca)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(f"{ca}: no certificate authority can be read: {error}") from error
    if cert is not None:
        try:
            context.load_cert_chain(cert, key)
        except OSError as error:
            raise ConfigError(f"{cert}, {key}: not a matching pair: {error}") from error
    return context
