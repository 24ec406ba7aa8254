"""pymodbus clients, one for each kind of wire; none of them retries or reconnects by itself.

The framers of pymodbus raise inside the event loop when a peer sends what is no frame. Here such
nonsense is dropped: whoever asked gets no answer, which is the truth.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from functools import partial

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ConnectionException
from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.transport import CommParams, CommType

from site_agent.devices.modbus.settings import Framing, LinkSettings, SerialLine

_NONSENSE = (ModbusException, ValueError, IndexError, struct.error)


class _Sound(FramerBase):
    def handleFrame(  # noqa: N802 - pymodbus's name
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, ModbusPDU | None]:
        try:
            return super().handleFrame(data, exp_devid, exp_tid)
        except _NONSENSE:
            return len(data), None


class _SoundSocketFramer(_Sound, FramerSocket):
    pass


class _SoundRtuFramer(_Sound, FramerRTU):
    pass


class _TlsClient(AsyncModbusTcpClient):
    """MBAP frames in a TLS stream (Modbus/TCP Security, clause 7).

    pymodbus's own TLS client takes whatever one read brings for one frame.
    """

    def __init__(self, settings: LinkSettings, context: ssl.SSLContext) -> None:
        self.comm_params = CommParams(  # found and kept by the base class
            comm_type=CommType.TLS,
            host=settings.host,
            port=settings.port,
            sslctx=context,
            reconnect_delay=0,
            timeout_connect=settings.timeout_s,
        )
        super().__init__(settings.host, retries=0)


def make_client(settings: LinkSettings, context: ssl.SSLContext | None) -> ModbusBaseClient:
    """A client that is not connected yet; `context` belongs to `settings.tls`."""
    client: ModbusBaseClient
    if settings.serial is not None:
        client = _serial(settings.serial, settings.timeout_s)
    elif context is not None:
        client = _TlsClient(settings, context)
    else:
        client = _tcp(settings)
    framer = _SoundRtuFramer if settings.is_bus else _SoundSocketFramer
    client.ctx.framer = framer(DecodePDU(False))
    client.ctx.trace_connect = partial(_connection_changed, client)
    return client


async def ask(client: ModbusBaseClient, request: ModbusPDU, timeout_s: float) -> ModbusPDU:
    """Send a request; what comes next from its unit and under its number is the answer.

    pymodbus' own `execute` waits with `wait_for`, which costs another turn of the event loop and
    may lose a cancellation.

    Raises:
        TimeoutError: nothing came.
        ModbusException: the connection is or was lost.
    """
    if not client.connected:
        raise ConnectionException("not connected")
    manager = client.ctx
    request.transaction_id = manager.getNextTID()
    manager.recv_buffer = b""
    manager.response_future = asyncio.Future()
    manager.pdu_send(request)
    async with asyncio.timeout(timeout_s):
        reply: ModbusPDU = await manager.response_future
    return reply


def _connection_changed(client: ModbusBaseClient, up: bool) -> None:
    """Whoever waits for an answer over a connection that has gone need not wait for the timeout."""
    waiting = client.ctx.response_future
    if not up and not waiting.done():
        waiting.set_exception(ConnectionException("the connection was lost"))
        waiting.exception()  # seen, should nobody be waiting


def _serial(line: SerialLine, timeout_s: float) -> AsyncModbusSerialClient:
    return AsyncModbusSerialClient(
        line.device,
        baudrate=line.baud,
        parity=line.parity,
        stopbits=line.stop_bits,
        timeout=timeout_s,
        retries=0,
        reconnect_delay=0,
    )


def _tcp(settings: LinkSettings) -> AsyncModbusTcpClient:
    return AsyncModbusTcpClient(
        settings.host,
        port=settings.port,
        framer=FramerType.RTU if settings.framing is Framing.RTU else FramerType.SOCKET,
        timeout=settings.timeout_s,
        retries=0,
        reconnect_delay=0,
    )
