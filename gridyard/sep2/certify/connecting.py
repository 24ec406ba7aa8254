"""Procedures about the way to the server: address, TLS, certificates (CSIP COMM)."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

from contracts.errors import PermanentError
from contracts.identity import client_context, sep2_client_context
from contracts.sep2.resources import Time
from gridyard.sep2.certify.bench import Bench

CCM8 = "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"
_HTTPS_PORT = 443
_HANDSHAKE_S = 10.0
_HEAD = b"GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/sep+xml\r\nConnection: close\r\n\r\n"
_REFUSED = (b"400", b"401", b"403", b"404", b"495", b"496")


async def address(bench: Bench) -> str:
    """COMM-002: the configured address is used, and one linked resource fetched."""
    capability = await bench.capability()
    if capability.time_link is None:
        raise PermanentError("DeviceCapability has no TimeLink to follow")
    await bench.transport.get(capability.time_link.href, Time)
    return f"{bench.transport.server.entry} and {capability.time_link.href} fetched"


async def suite(bench: Bench) -> str:
    """COMM-003: TLS 1.2 with ECDHE-ECDSA-AES128-CCM-8 and nothing else."""
    settings = bench.settings
    context = sep2_client_context(settings.ca, settings.cert, settings.key, CCM8)
    try:
        _, writer = await _connected(bench, context)
    except (OSError, TimeoutError) as error:
        raise PermanentError(f"no handshake with CCM-8 alone: {error}") from error
    name, version, _ = writer.get_extra_info("cipher")
    writer.close()
    return f"{version}, {name}"


async def chain(bench: Bench) -> str:
    """COMM-004: the server's chain is accepted, and nobody comes in without a certificate."""
    await bench.capability()
    context = client_context(bench.settings.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(bench.settings.ciphers)
    try:
        answer = await _asked_by_a_stranger(bench, context)
    except (OSError, TimeoutError):
        answer = b""
    status = answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/") else b""
    if status and status not in _REFUSED:
        raise PermanentError(f"a client without a certificate is answered {status.decode()}")
    refusal = f"HTTP {status.decode()}" if status else "the handshake"
    return (
        f"the server's chain keeps the rules; without a certificate of ours: refused by {refusal}"
    )


async def _asked_by_a_stranger(bench: Bench, context: ssl.SSLContext) -> bytes:
    """The first line of the answer to a GET of DeviceCapability; empty when cut off."""
    reader, writer = await _connected(bench, context)
    try:
        host = urlsplit(str(bench.settings.url)).netloc
        writer.write(_HEAD % (bench.transport.server.entry.encode(), host.encode()))
        await writer.drain()
        async with asyncio.timeout(_HANDSHAKE_S):
            return await reader.readline()
    finally:
        writer.close()


async def _connected(
    bench: Bench, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(str(bench.settings.url))
    async with asyncio.timeout(_HANDSHAKE_S):
        return await asyncio.open_connection(parts.hostname, parts.port or _HTTPS_PORT, ssl=context)
