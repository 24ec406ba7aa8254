"""The way to a VTN below HTTP: name, connection, certificates of both sides."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from contracts import certificate
from contracts.certificate import CertificateFacts
from contracts.identity import certificate_der, client_context, openadr_fingerprint
from gateway.utility.openadr.settings import OpenAdrSettings
from gridyard.findings import Finding
from gridyard.openadr import diagnosis
from gridyard.openadr.diagnosis import printable
from gridyard.openadr.handshake import Server, blind_context, handshake

RENEW_WITHIN = timedelta(days=30)
_LINGER_S = 2.0
_VERSIONS = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}


def our_certificate(settings: OpenAdrSettings, now: datetime) -> Finding:
    """Who we are to the utility, and for how long.

    Raises:
        ConfigError: the file holds no certificate.
    """
    step, der = "our certificate", certificate_der(settings.cert)
    name = f"fingerprint {openadr_fingerprint(der)}"
    try:
        facts = certificate.describe(der)
    except ValueError as error:
        return Finding(step=step, ok=False, detail=f"{name}: {error}", hint="ask for another one")
    detail = f"{name}, {facts.key}, {_life(facts, now)}"
    if not facts.since <= now < facts.until:
        hint = "renew it, and look at the clock of this machine"
    elif not facts.strong:
        hint = "OpenADR wants RSA from 2048 bits or EC from 256: ask for another one"
    else:
        hint = "renew it soon" if facts.until - now < RENEW_WITHIN else ""
        return Finding(step=step, ok=True, detail=detail, hint=hint)
    return Finding(step=step, ok=False, detail=detail, hint=hint)


async def reach(settings: OpenAdrSettings, now: datetime) -> AsyncIterator[Finding]:
    """Name, connection, the server's certificate, TLS; ends with the first that fails.

    Raises:
        ConfigError: our own certificate and key, or `ca`, cannot be used.
    """
    server = Server.of(settings)
    for step in (_name, _connection):
        finding = await step(server)
        yield finding
        if not finding.ok:
            return
    async for finding in _tls(server, settings, now):
        yield finding


async def _name(server: Server) -> Finding:
    step = "name"
    try:
        found = await asyncio.to_thread(
            socket.getaddrinfo, server.host, server.port, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as error:
        detail = f"{printable(server.host)} cannot be resolved: {error}"
        hint = "look at the host of `url` and at the DNS servers of this machine"
        return Finding(step=step, ok=False, detail=detail, hint=hint)
    addresses = ", ".join(dict.fromkeys(str(one[4][0]) for one in found))
    return Finding(step=step, ok=True, detail=f"{printable(server.host)} is {addresses}")


async def _connection(server: Server) -> Finding:
    step, where = "connection", f"{printable(server.host)} port {server.port}"
    try:
        async with asyncio.timeout(server.timeout_s):
            _, writer = await asyncio.open_connection(server.host, server.port)
    except OSError as error:
        text, hint = diagnosis.of_link(error)
        return Finding(step=step, ok=False, detail=f"{where}: {text}", hint=hint)
    writer.close()
    return Finding(step=step, ok=True, detail=f"{where} answers")


async def _tls(server: Server, settings: OpenAdrSettings, now: datetime) -> AsyncIterator[Finding]:
    context = client_context(settings.ca, settings.cert, settings.key)
    try:
        shown, agreed = await handshake(server, context)
    except ssl.SSLCertVerificationError as error:
        yield await _not_trusted(server, error, now)
        return
    except OSError as error:
        text, hint = diagnosis.of_link(error)
        yield Finding(step="TLS", ok=False, detail=text, hint=hint)
        return
    yield _server_certificate(shown, now)
    yield await _versions(server, settings, agreed)


def _server_certificate(shown: bytes, now: datetime) -> Finding:
    step = "server certificate"
    try:
        facts = certificate.describe(shown)
    except ValueError as error:  # OpenSSL has accepted it; it only cannot be described
        return Finding(step=step, ok=True, detail=f"leads to `ca`, for the rest: {error}")
    hint = "it ends soon: ask the utility" if facts.until - now < RENEW_WITHIN else ""
    detail = f"{facts.subject}, {_life(facts, now)}, leads to `ca`"
    return Finding(step=step, ok=True, detail=printable(detail, 400), hint=hint)


async def _versions(server: Server, settings: OpenAdrSettings, agreed: str) -> Finding:
    """Which versions the server speaks with us, and whether it takes our certificate in each.

    In TLS 1.2 a server refuses a client within the handshake. In 1.3 it does so after it, so
    where 1.2 is not spoken the server is given a moment to say so, before anything is sent.
    """
    spoken, linger_s = [], 0.0
    for name, version in _VERSIONS.items():
        context = client_context(settings.ca, settings.cert, settings.key)
        context.minimum_version = context.maximum_version = version
        try:
            _, suite = await handshake(server, context, linger_s)
        except OSError as error:
            text, hint = diagnosis.of_link(error)
            if diagnosis.refuses_us(error):
                return Finding(step="TLS", ok=False, detail=f"{name}: {text}", hint=hint)
            spoken.append(f"{name}: {text}")
            linger_s = min(_LINGER_S, server.timeout_s)
        else:
            spoken.append(f"{name} spoken ({suite.split()[-1]})")
    return Finding(step="TLS", ok=True, detail=f"agreed on {agreed}; {', '.join(spoken)}")


async def _not_trusted(
    server: Server, error: ssl.SSLCertVerificationError, now: datetime
) -> Finding:
    """What certificate it is that does not hold."""
    try:
        shown, _ = await handshake(server, blind_context())
        facts = certificate.describe(shown)
        names = f", for {', '.join(facts.names[:5])}" if facts.names else ""
        about = f"; it is {facts.subject} by {facts.issuer}{names}, {_life(facts, now)}"
    except (OSError, ValueError):
        about = ""  # it hides from those it does not let in
    return Finding(
        step="server certificate",
        ok=False,
        detail=f"not accepted: {error.verify_message}{printable(about, 400)}",
        hint=diagnosis.of_verification(error),
    )


def _life(facts: CertificateFacts, now: datetime) -> str:
    if now < facts.since:
        return f"not valid before {facts.since:%Y-%m-%d %H:%M} UTC"
    days = (facts.until - now).days
    if facts.until <= now:
        return f"EXPIRED {facts.until:%Y-%m-%d %H:%M} UTC"
    return f"valid until {facts.until:%Y-%m-%d} ({days} days)"
