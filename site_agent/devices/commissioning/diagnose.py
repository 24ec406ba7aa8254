"""Why nobody answers: a plain look at the socket or the serial device, and what to do."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from contracts.identity import client_context
from site_agent.devices.modbus.settings import Framing, LinkSettings, SerialLine

_ASK = b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01"
"""MBAP: unit 1, one holding register at 0."""
_TLS_ALERT = b"\x15"
_NO_TLS = ("WRONG_VERSION", "EOF")
"""In what OpenSSL says of a peer that does not speak it at all."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, and what to do about it."""

    what: str
    hint: str


async def connection_trouble(settings: LinkSettings) -> Trouble | None:
    """What keeps us from connecting; None when nothing does.

    Raises:
        ConfigError: the files of `settings.tls` cannot be used.
    """
    if settings.serial is not None:
        return _serial_trouble(settings.serial)
    tls = settings.tls
    context = None if tls is None else client_context(tls.ca, tls.cert, tls.key)
    try:
        async with asyncio.timeout(settings.timeout_s):
            _, writer = await asyncio.open_connection(settings.host, settings.port, ssl=context)
    except ssl.SSLError as error:
        return _tls_trouble(settings, error)
    except (OSError, TimeoutError) as error:
        return _socket_trouble(settings, error)
    writer.close()
    return None


def _tls_trouble(settings: LinkSettings, error: ssl.SSLError) -> Trouble:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"{settings.where} shows a certificate that is not trusted: {error.verify_message}"
        return Trouble(why, "is --ca the root that issued it, and does it name this host?")
    if "WRONG_VERSION" in str(error):
        return Trouble(f"{settings.where} does not speak TLS", "leave out --ca, --cert and --key")
    return Trouble(
        f"{settings.where} does not agree on TLS: {error.reason or error}",
        "does the device trust the certificate in --cert, and speak TLS 1.2 or newer?",
    )


def _socket_trouble(settings: LinkSettings, error: Exception) -> Trouble:
    where = settings.where
    if isinstance(error, ConnectionRefusedError):
        return Trouble(
            f"{where} refuses connections",
            "is Modbus TCP switched on in the device (often in its installer's menu), and is this "
            "its port? Devices that serve one client refuse the second: end the other one",
        )
    if isinstance(error, socket.gaierror):
        return Trouble(
            f"{settings.host} is no known name", "check its spelling, or give an address"
        )
    if isinstance(error, TimeoutError):
        return Trouble(
            f"{where} does not answer at all",
            "is it powered and in this network? A firewall on the way may drop port "
            f"{settings.port}; try `ping {settings.host}`",
        )
    return Trouble(
        f"{where} cannot be reached: {getattr(error, 'strerror', None) or error}",
        "is this machine in the device's network?",
    )


def _serial_trouble(line: SerialLine) -> Trouble | None:
    if not Path(line.device).exists():
        return Trouble(
            f"{line.device} does not exist",
            "is the adapter plugged in? Look in /dev/serial/by-id",
        )
    try:
        # As pyserial does: without waiting for a carrier, or for the other end of what is no line.
        os.close(os.open(line.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
    except PermissionError:
        return Trouble(
            f"{line.device} may not be opened",
            "add this user to the group that owns it (often dialout), and log in again",
        )
    except OSError as error:
        return Trouble(f"{line.device}: {error.strerror}", "is another program using it?")
    return None


async def silence(settings: LinkSettings) -> Trouble:
    """Why a peer that can be connected to answers no unit."""
    if settings.serial is not None:
        return Trouble(
            f"nobody answers on {settings.where}",
            "check speed and parity (--baud, --parity), the unit id, A and B not swapped, and that "
            "no other master is on the bus",
        )
    if settings.tls is None and settings.framing is Framing.TCP and await _hangs_up(settings):
        return await _why_it_hangs_up(settings)
    other = "tcp" if settings.framing is Framing.RTU else "rtu"
    return Trouble(
        f"{settings.where} takes connections but answers no unit that was asked",
        f"try other unit ids (--units 1-247); behind a serial gateway try --framing {other}; "
        "a device that serves one client lets the second one wait: end the other one",
    )


async def _hangs_up(settings: LinkSettings) -> bool:
    """Whether it ends the connection when it is asked something."""
    try:
        async with asyncio.timeout(settings.timeout_s):
            reader, writer = await asyncio.open_connection(settings.host, settings.port)
            try:
                writer.write(_ASK)
                return await reader.read(1) in (b"", _TLS_ALERT)
            finally:
                writer.close()
    except TimeoutError:
        return False
    except OSError:
        return True


async def _why_it_hangs_up(settings: LinkSettings) -> Trouble:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only to see what it is
    try:
        async with asyncio.timeout(settings.timeout_s):
            _, writer = await asyncio.open_connection(settings.host, settings.port, ssl=context)
            writer.close()
    except (OSError, TimeoutError) as error:
        if not isinstance(error, ssl.SSLError) or any(word in str(error) for word in _NO_TLS):
            return Trouble(
                f"{settings.where} takes connections and closes them",
                "devices that serve one client do so to the second: end the other one (perhaps the "
                "agent, a cloud box or a vendor's app) and try again",
            )
    return Trouble(
        f"{settings.where} speaks TLS",
        "give --ca, --cert and --key (Modbus/TCP Security wants a client certificate)",
    )
