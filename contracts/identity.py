"""Who a peer is: TLS contexts with certificates on both sides, and names derived from them."""

from __future__ import annotations

import _ssl
import hashlib
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID

from contracts.errors import ConfigError

_SEP2_SUITES = (
    "ECDHE-ECDSA-AES128-CCM8",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
)
SEP2_CIPHERS = ":".join((*_SEP2_SUITES, "@SECLEVEL=0"))
"""TLS 1.2 suites for IEEE 2030.5 in OpenSSL's notation; the first is the standard's own (CSIP P9).

Newer OpenSSL counts CCM-8 as level 0, so that level is asked for and the keys are checked here.
"""

_LFDI_BYTES = 20
_SFDI_NIBBLES = 9  # 36 bits
_OPENADR_BYTES = 10
_RSA_BITS = 2048
_CRITICAL = {
    ExtensionOID.EXTENDED_KEY_USAGE: False,
    ExtensionOID.NAME_CONSTRAINTS: True,
    ExtensionOID.POLICY_MAPPINGS: True,
}
"""Extensions of issuing certificates, and whether they must be critical (CSIP COMM-004)."""


def server_context(cert: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer for a server that lets in only clients with a certificate of `client_ca`.

    Without `client_ca` it asks nobody for one.

    Raises:
        ConfigError: a file is missing, unreadable, or the key does not fit the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return _loaded(context, client_ca, cert, key)


def client_context(
    ca: Path | None, cert: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """TLS 1.2 or newer for a client that trusts `ca` alone and checks the server's host name.

    Without `ca` it trusts the system's roots. With `cert` and `key` it also shows who it is.

    Raises:
        ConfigError: a file is missing, unreadable, or the key does not fit the certificate.
    """
    return _loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca, cert, key)


def sep2_server_context(
    cert: Path, key: Path, client_ca: Path, ciphers: str = SEP2_CIPHERS
) -> ssl.SSLContext:
    """TLS 1.2 for an IEEE 2030.5 server: clients need a certificate under `client_ca`.

    The handshake fails, both ways, with a peer whose certificates break the rules of the
    standard's PKI (see `check_sep2_chain`). For asyncio and httpx, not for blocking sockets.

    Raises:
        ConfigError: a file is missing or unreadable, the key does not fit the certificate, our
            own certificate breaks the rules, or OpenSSL does not know `ciphers`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_TICKET  # a resumed session would show no chain to check
    return _sep2(context, client_ca, cert, key, ciphers)


def sep2_client_context(
    ca: Path, cert: Path, key: Path, ciphers: str = SEP2_CIPHERS
) -> ssl.SSLContext:
    """As `sep2_server_context` for a client, which also checks the server's host name."""
    return _sep2(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca, cert, key, ciphers)


def check_sep2_chain(chain: Sequence[bytes], *, rsa_keys: bool = False) -> None:
    """Check DER certificates, the leaf first, against the PKI rules of IEEE 2030.5.

    Keys are P-256 and signatures SHA-256; with `rsa_keys` (CSIP P10) RSA from 2048 bits may be.
    Of issuing certificates the extended key usage may not be critical, name constraints and
    policy mappings must be (CSIP COMM-004). That the chain leads to a trusted root is up to TLS.

    Raises:
        ValueError: it breaks one of them, or is no certificate.
    """
    try:
        for place, der in enumerate(chain):
            certificate = x509.load_der_x509_certificate(der)
            _check_key(certificate, rsa_keys=rsa_keys)
            if place:
                _check_issuer(certificate)
    except (UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise ValueError(str(error)) from error


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


def _sep2(context: ssl.SSLContext, ca: Path, cert: Path, key: Path, ciphers: str) -> ssl.SSLContext:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError as error:
        raise ConfigError(f"ciphers {ciphers!r}: {error}") from error
    context.sslobject_class = _Sep2Connection
    try:
        check_sep2_chain([certificate_der(cert)], rsa_keys=_speaks_rsa(context))
    except ValueError as error:
        raise ConfigError(f"{cert}: {error}") from error
    return _loaded(context, ca, cert, key)


def _speaks_rsa(context: ssl.SSLContext) -> bool:
    return any(cipher["auth"] == "auth-rsa" for cipher in context.get_ciphers())


class _Sep2Connection(ssl.SSLObject):
    """A TLS connection whose handshake fails with a peer that breaks the rules of the PKI."""

    def do_handshake(self) -> None:
        super().do_handshake()
        try:
            check_sep2_chain(self._chain(), rsa_keys=_speaks_rsa(self.context))
        except ValueError as error:
            raise ssl.SSLCertVerificationError(f"peer's certificate refused: {error}") from error

    def _chain(self) -> list[bytes]:
        """From the leaf to the root, as OpenSSL verified it; public only since Python 3.13.

        Of a resumed session there is none: it was checked when the session began.
        """
        verified = self._sslobj.get_verified_chain() or ()  # type: ignore[attr-defined]
        return [certificate.public_bytes(_ssl.ENCODING_DER) for certificate in verified]


def _check_key(certificate: x509.Certificate, *, rsa_keys: bool) -> None:
    key, digest = certificate.public_key(), certificate.signature_hash_algorithm
    p256 = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1"
    allowed_rsa = rsa_keys and isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS
    if not (p256 or allowed_rsa):
        raise ValueError(f"{_subject(certificate)}: the key is not P-256")
    if digest is None or digest.name != "sha256":
        raise ValueError(f"{_subject(certificate)}: not signed with SHA-256")


def _check_issuer(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        wanted = _CRITICAL.get(extension.oid)
        if wanted is not None and extension.critical is not wanted:
            fault = f"{extension.oid.dotted_string} is {'not ' if wanted else ''}critical"
            raise ValueError(f"{_subject(certificate)}: extension {fault}")


def _subject(certificate: x509.Certificate) -> str:
    return repr(certificate.subject.rfc4514_string())


def _loaded(
    context: ssl.SSLContext, ca: Path | None, cert: Path | None, key: Path | None
) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(ca)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(f"{ca}: no certificate authority can be read: {error}") from error
    if cert is not None:
        try:
            context.load_cert_chain(cert, key)
        except OSError as error:
            raise ConfigError(f"{cert}, {key}: not a matching pair: {error}") from error
    return context
