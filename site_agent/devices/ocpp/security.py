"""Security profiles 0 to 3 (OCPP 1.6 security whitepaper A00, 2.0.1 part 2 A00).

0: nothing is asked for, 1: HTTP Basic over `ws`, 2: HTTP Basic over `wss`, 3: `wss` with a
certificate of the charger's own. TLS is 1.2 or newer.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ssl
from collections.abc import Iterable, Mapping
from enum import IntEnum
from pathlib import Path

import structlog
from websockets.asyncio.server import ServerConnection

from contracts import identity
from contracts.clock import SystemClock
from contracts.errors import ConfigError
from site_agent.devices.ocpp.gate import Refusals
from site_agent.devices.ocpp.settings import StationConfig

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LONGEST_HEADER = 1024
_URN = "urn:gridyard:charger:"
_log = structlog.get_logger(__name__)


class Profile(IntEnum):
    """How a charger proves who it is."""

    OPEN = 0
    BASIC = 1
    TLS_BASIC = 2
    TLS_CERTIFICATE = 3


def server_context(
    profile: Profile, cert: Path | None, key: Path | None, client_ca: Path | None
) -> ssl.SSLContext | None:
    """The TLS side of a profile; None: `ws`. A certificate makes `wss` of profiles 0 and 1 too.

    Raises:
        ConfigError: a file is missing, unreadable or not named.
    """
    if cert is None or key is None:
        if profile >= Profile.TLS_BASIC:
            raise ConfigError(f"ocpp: security profile {int(profile)} needs cert and key")
        return None
    if profile is Profile.TLS_CERTIFICATE:
        if client_ca is None:
            raise ConfigError("ocpp: security profile 3 needs client_ca")
        context = identity.server_context(cert, key, client_ca)
    else:
        context = _one_sided(cert, key)
    context.sslobject_class = _telling()
    return context


def check(profile: Profile, stations: Iterable[StationConfig], host: str) -> None:
    """What no single setting shows: passwords where they are needed, and doors left open.

    Raises:
        ConfigError: a charger has no password though the profile asks for one.
    """
    bare = [station.charge_point_id for station in stations if station.password is None]
    if bare and profile in (Profile.BASIC, Profile.TLS_BASIC):
        names = ", ".join(bare[:10])
        raise ConfigError(f"ocpp: security profile {int(profile)} needs a password for {names}")
    if bare and profile is Profile.OPEN and host not in _LOOPBACK:
        _log.warning("chargers come in without a password: keep them on a network of their own")


def certified(socket: ServerConnection, charge_point_id: str) -> bool:
    """Whether the certificate on this connection is the charger's (A00.FR.405)."""
    channel = socket.transport.get_extra_info("ssl_object")
    certificate = None if channel is None else channel.getpeercert()
    return certificate is not None and charge_point_id in _names(certificate)


def _names(certificate: Mapping[str, object]) -> set[str]:
    """Its common names, DNS names, and the ids in names such as `urn:gridyard:charger:CP1`."""
    names = {text for field, text in _pairs(certificate.get("subject")) if field == "commonName"}
    for kind, text in _flat(certificate.get("subjectAltName")):
        if kind == "DNS":
            names.add(text)
        elif kind == "URI" and text.startswith(_URN):
            names.add(text.removeprefix(_URN))
    return names


def _pairs(subject: object) -> list[tuple[str, str]]:
    """The fields of a subject, which `ssl` gives in groups."""
    groups = subject if isinstance(subject, tuple) else ()
    return [pair for group in groups for pair in _flat(group)]


def _flat(pairs: object) -> list[tuple[str, str]]:
    held = pairs if isinstance(pairs, tuple) else ()
    return [(pair[0], pair[1]) for pair in held if isinstance(pair, tuple) and len(pair) > 1]


def password_matches(charge_point_id: str, passwords: Iterable[str], header: str) -> bool:
    """Whether HTTP Basic names this charger and one of its passwords, in constant time."""
    scheme, _, token = header[:_LONGEST_HEADER].partition(" ")
    try:
        given = base64.b64decode(token.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    wanted = (f"{charge_point_id}:{password}".encode() for password in passwords)
    right = [hmac.compare_digest(given, one) for one in wanted]
    return scheme.lower() == "basic" and any(right)


def _one_sided(cert: Path, key: Path) -> ssl.SSLContext:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"ocpp: certificate {cert} or key {key}: {error}") from error
    return context


def _telling() -> type[ssl.SSLObject]:
    """A TLS side that tells of handshakes that failed, which nobody else does."""
    refusals = Refusals(SystemClock().monotonic)

    class Handshake(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                refusals.note("charger refused at the TLS handshake", cause=str(error)[:200])
                raise

    return Handshake
