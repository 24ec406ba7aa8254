"""Signs sites' certificates with the key of the site side's root (or of an issuer under it)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contracts.errors import ConfigError, ProtocolError
from contracts.site_link.messages import Credentials
from contracts.site_link.subjects import checked_site_id
from gateway.sites.credentials import Authority

_SKEW = timedelta(hours=1)
"""Certificates are valid from a little earlier, for peers whose clock is slow."""


class SiteIssuer:
    """`gateway.ports.Issuer` over a certificate authority and the keys of the broker's users.

    Raises:
        ConfigError: `ca` is no certificate authority, or `ca_key` is not its key.
    """

    def __init__(self, ca: Path, ca_key: Path, authority: Authority) -> None:
        self._ca, self._key = _pair(ca, ca_key)
        self._ca_pem = self._ca.public_bytes(Encoding.PEM).decode()
        self._authority = authority

    def issue(
        self, site_id: str, csr: str, user_key: str, now: datetime, until: datetime
    ) -> tuple[str, Credentials]:
        """See `gateway.ports.Issuer.issue`."""
        key = _requested(csr)
        until = min(until, self._ca.not_valid_after_utc).replace(microsecond=0)
        certificate = self._certificate(checked_site_id(site_id), key, now, until)
        return f"{certificate.serial_number:x}", Credentials(
            site_id=site_id,
            ca=self._ca_pem,
            certificate=certificate.public_bytes(Encoding.PEM).decode(),
            jwt=self._authority.site_jwt(site_id, user_key, now, until),
            until=until,
        )

    def _certificate(
        self, site_id: str, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
    ) -> x509.Certificate:
        """Of one end of a connection, as client (RFC 5280); the name is ours, not the request's."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"site {site_id}")])
        uri = x509.UniformResourceIdentifier(f"urn:gridyard:site:{site_id}")
        usage = dict.fromkeys(
            (
                *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
                *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
            ),
            False,
        )
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._ca.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, SHA256())
        )


def _requested(csr: str) -> ec.EllipticCurvePublicKey:
    """The key to certify, once its holder has shown that it has it."""
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        signed, key = request.is_signature_valid, request.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise ProtocolError(f"csr: not a certificate signing request: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise ProtocolError("csr: the key is not P-256")
    if not signed:
        raise ProtocolError("csr: not signed by its own key")
    return key


def _pair(ca: Path, ca_key: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate(ca.read_bytes())
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        key = load_pem_private_key(ca_key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise ConfigError(f"{ca}, {ca_key}: not a certificate authority: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not basic.ca:
        raise ConfigError(f"{ca}, {ca_key}: not a certificate authority with an EC key")
    if key.public_key() != certificate.public_key():
        raise ConfigError(f"{ca_key}: not the key of {ca}")
    return certificate, key
