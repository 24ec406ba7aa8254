"""One connection at a time to a socket or serial line, and never a stale answer.

pymodbus frames and decodes; everything that decides whether an answer may be believed is here.
The *dirty guard*: a request whose answer did not come leaves the connection unusable, because the
answer may still arrive and RTU framing has no way to tell whose it is (MBAP can be fooled too, by a
server that numbers its late reply like the newest request). The next request gets a new connection;
a serial bus outlives it, so there we also stay silent for one whole timeout and forget what came.
"""

from __future__ import annotations

import termios

import structlog
from pymodbus import ModbusException
from pymodbus.client.base import ModbusBaseClient
from pymodbus.pdu import ModbusPDU

from contracts.errors import LinkDownError, ProtocolError, TransientError
from contracts.identity import client_context
from contracts.time import Clock
from site_agent.devices.modbus.clients import ask, make_client
from site_agent.devices.modbus.replies import is_answer
from site_agent.devices.modbus.rest import Rest
from site_agent.devices.modbus.settings import LinkSettings

_log = structlog.get_logger(__name__)


class Connection:
    """The wire of one link. While its peer cannot be reached it rests for 1 s, 2 s, ... 5 s.

    Raises:
        ConfigError: the files of `settings.tls` cannot be used.
    """

    def __init__(self, settings: LinkSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        tls = settings.tls
        self._silence_s = settings.silence_s
        self._context = None if tls is None else client_context(tls.ca, tls.cert, tls.key)
        self._client: ModbusBaseClient | None = None
        # A bus may carry an answer to whoever spoke on it before us.
        self._dirty = settings.serial is not None
        self._next_tid = 0
        self._rest = Rest(clock, step_s=1.0, cap_s=5.0)

    @property
    def up(self) -> bool:
        """Whether a connection stands."""
        return self._client is not None and self._client.connected

    async def ready(self) -> ModbusBaseClient:
        """A connection without an answer still on its way.

        Raises:
            LinkDownError: there is none.
        """
        client = self._client
        if client is None or self._dirty or not client.connected:
            client = await self._connect()
        if self._silence_s:
            await self._clock.sleep(self._silence_s)
        return client

    async def exchange(self, client: ModbusBaseClient, request: ModbusPDU) -> ModbusPDU:
        """One request and its own answer; anything else leaves the link dirty, also cancelling.

        Raises:
            LinkDownError: the connection broke.
            TransientError: no answer in time.
            ProtocolError: the answer is not an answer to this request.
        """
        self._dirty = True
        try:
            reply = await ask(client, request, self._settings.timeout_s)
        except ModbusException as error:
            raise LinkDownError(f"{self._settings.where} broke the connection") from error
        except TimeoutError as error:
            raise TransientError(f"{self._peer(request)}: no answer") from error
        if not is_answer(request, reply):
            raise ProtocolError(f"{self._peer(request)} answered something else")
        self._dirty = False
        return reply

    def _peer(self, request: ModbusPDU) -> str:
        return f"unit {request.dev_id} at {self._settings.where}"

    def drop(self, why: str) -> None:
        """Close it."""
        if self._client is not None:
            self._next_tid = self._client.ctx.next_tid
            self._client.close()
            self._client = None
            _log.info("modbus link closed", peer=self._settings.where, why=why)

    async def _connect(self) -> ModbusBaseClient:
        self.drop("an answer is missing" if self._dirty else "closed by the peer")
        if self._rest.remaining_s():
            raise LinkDownError(f"{self._settings.where} cannot be reached")
        client = make_client(self._settings, self._context)
        if not await _connects(client):
            self._rest.failed()
            raise LinkDownError(f"{self._settings.where} cannot be reached")
        self._rest.worked()
        self._client = client
        client.ctx.next_tid = self._next_tid  # no number is given to two requests
        if self._dirty and self._settings.is_bus:
            # The next request empties the buffer, so what comes meanwhile runs into the void.
            await self._clock.sleep(self._settings.timeout_s)
        self._dirty = False
        _log.info("modbus link up", peer=self._settings.where)
        return client


async def _connects(client: ModbusBaseClient) -> bool:
    try:
        return await client.connect()
    except (ValueError, termios.error):  # a serial device without this speed or parity
        return False
