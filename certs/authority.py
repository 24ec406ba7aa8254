"""A small certificate authority in a folder: P-256 keys, files re-used while they are good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contracts.private_files import private_folder, write_private

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)
_SKEW = timedelta(hours=1)
"""Certificates are valid from a little earlier, for peers whose clock is slow."""

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Where a certificate and its private key lie, both PEM."""

    cert: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a certificate should say."""

    name: str
    usage: x509.ObjectIdentifier
    alt_names: tuple[x509.GeneralName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """One root in one folder, and the certificates it has signed.

    Not for several processes at once.
    """

    def __init__(self, folder: Path, name: str, now: datetime) -> None:
        self._folder = private_folder(folder)
        self._now = now
        self.identity = _files(folder, "ca")
        found = _load(self.identity)
        if found is None or not self._young(found.cert):
            key = ec.generate_private_key(ec.SECP256R1())
            found = self._store(self.identity, _root(name, key, now), key)
        self._pair = found

    def identity_of(self, stem: str, wanted: Wanted) -> Identity:
        """The files `<stem>.pem` and `.key`, made or renewed when they are not as wanted."""
        identity = _files(self._folder, stem)
        found = _load(identity)
        if found is None or not self._good(found.cert, wanted):
            key = ec.generate_private_key(ec.SECP256R1())
            self._store(identity, self._leaf(wanted, key), key)
        return identity

    def _good(self, cert: x509.Certificate, wanted: Wanted) -> bool:
        return self._young(cert) and _signed_by(cert, self._pair.cert) and _says(cert, wanted)

    def _young(self, cert: x509.Certificate) -> bool:
        life = cert.not_valid_after_utc - cert.not_valid_before_utc
        return cert.not_valid_before_utc <= self._now < cert.not_valid_after_utc - life / 3

    def _leaf(self, wanted: Wanted, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        issuer = self._pair.cert
        until = min(self._now + LEAF_LIFE, issuer.not_valid_after_utc)
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._pair.key.public_key())
        return (
            _builder(wanted.name, issuer.subject, key, self._now, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([wanted.usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(wanted.alt_names), critical=False)
            .add_extension(aki, critical=False)
            .sign(self._pair.key, SHA256())
        )

    @staticmethod
    def _store(
        identity: Identity, cert: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> _Pair:
        write_private(
            identity.key,
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )
        write_private(identity.cert, cert.public_bytes(Encoding.PEM))
        return _Pair(cert=cert, key=key)


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


def _files(folder: Path, stem: str) -> Identity:
    return Identity(cert=folder / f"{stem}.pem", key=folder / f"{stem}.key")


def _load(identity: Identity) -> _Pair | None:
    """The pair on disk, or None when there is none, or none that fits together."""
    try:
        cert = x509.load_pem_x509_certificate(identity.cert.read_bytes())
        key = load_pem_private_key(identity.key.read_bytes(), password=None)
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != cert.public_key():
        return None
    return _Pair(cert=cert, key=key)


def _signed_by(cert: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        cert.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _says(cert: x509.Certificate, wanted: Wanted) -> bool:
    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        usage = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return tuple(names) == wanted.alt_names and list(usage) == [wanted.usage]


def _root(name: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    return (
        _builder(name, _subject(name), key, now, now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs=True), critical=True)
        .sign(key, SHA256())
    )


def _builder(
    name: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(until)
        .add_extension(ski, critical=False)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Gridyard test"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
