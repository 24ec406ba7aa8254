"""Certificates and their private keys as PEM files, and what is common to all we make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from contracts.private_files import write_private

_SKEW = timedelta(hours=1)
"""Certificates are valid from a little earlier, for peers whose clock is slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Where a certificate and its private key lie, both PEM."""

    cert: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its private key."""

    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def files(folder: Path, stem: str) -> Identity:
    """`<stem>.pem` and `<stem>.key`."""
    return Identity(cert=folder / f"{stem}.pem", key=folder / f"{stem}.key")


def store(identity: Identity, pair: Pair, chain: Sequence[x509.Certificate] = ()) -> Pair:
    """Write the key, and the certificate with the issuers it is shown with."""
    private = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(identity.key, private)
    shown = (pair.cert, *chain)
    write_private(identity.cert, b"".join(one.public_bytes(Encoding.PEM) for one in shown))
    return pair


def load(identity: Identity) -> Pair | None:
    """The pair on disk, or None when there is none, or none that fits together."""
    try:
        cert = x509.load_pem_x509_certificate(identity.cert.read_bytes())
        key = load_pem_private_key(identity.key.read_bytes(), password=None)
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != cert.public_key():
        return None
    return Pair(cert=cert, key=key)


def signed_by(cert: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` has signed it."""
    try:
        cert.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def alt_names(cert: x509.Certificate) -> tuple[x509.GeneralName, ...]:
    """Its subject alternative names."""
    try:
        return tuple(cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return ()


def host_names(hosts: Sequence[str]) -> tuple[x509.GeneralName, ...]:
    """Subject alternative names of a server: IP addresses and DNS names."""
    return tuple(_host(host) for host in hosts)


def uri_name(uri: str) -> tuple[x509.GeneralName, ...]:
    """Subject alternative name of a client."""
    return (x509.UniformResourceIdentifier(uri),)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def builder(
    name: str,
    issuer: x509.Name,
    key: CertificatePublicKeyTypes,
    now: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    """What every certificate says: who, by whom, which key, how long."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject(name))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def subject(name: str) -> x509.Name:
    """A distinguished name."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Gridyard test"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def key_usage(*, signs: bool, agrees: bool = False) -> x509.KeyUsage:
    """Of an issuer (`signs`), or of one end of a connection."""
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=agrees,
        encipher_only=False,
        decipher_only=False,
    )
