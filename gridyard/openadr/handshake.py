"""TLS handshakes with a VTN that go no further."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from gateway.utility.openadr.settings import OpenAdrSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the VTN is."""

    host: str
    port: int
    timeout_s: float

    @classmethod
    def of(cls, settings: OpenAdrSettings) -> Server:
        """From `url`."""
        host = (settings.url.host or "").strip("[]")
        return cls(host=host, port=settings.url.port or 443, timeout_s=settings.timeout_s)


async def handshake(
    server: Server, context: ssl.SSLContext, linger_s: float = 0.0
) -> tuple[bytes, str]:
    """The certificate the server shows, DER, and the version and cipher suite agreed on.

    With `linger_s` the server has so long to refuse us after all. Nothing is sent.

    Raises:
        OSError: no connection or no handshake; an `ssl.SSLError` is one.
    """
    async with asyncio.timeout(server.timeout_s):
        reader, writer = await asyncio.open_connection(server.host, server.port, ssl=context)
    try:
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        cipher = tls.cipher()
        agreed = f"{tls.version()} with {cipher[0] if cipher else 'no cipher'}"
        shown = tls.getpeercert(binary_form=True) or b""
        if linger_s:
            await _listen(reader, linger_s)
        return shown, agreed
    finally:
        writer.transport.abort()  # a server may never answer a polite goodbye


def blind_context() -> ssl.SSLContext:
    """For looking at a server's certificate, never for talking to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _listen(reader: asyncio.StreamReader, seconds: float) -> None:
    """Until the server says something or hangs up, which ends in an alert when it refuses us."""
    try:
        async with asyncio.timeout(seconds):
            await reader.read(1)
    except TimeoutError:
        return
