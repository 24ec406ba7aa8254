"""An association with a DLMS/COSEM meter, by dlms-cosem, read in a thread.

The library makes and reads the frames (HDLC or TCP wrapper), the association and the GET service;
its socket, its decoder of values and its log are replaced (`io`, `values`, `_quiet`). Whatever it
raises for bytes of strangers becomes a `ProtocolError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from contracts.errors import ConfigError, GridyardError, ProtocolError
from site_agent.devices.dlms.io import BoundedSocket
from site_agent.devices.dlms.values import OBIS, Scale, number, scale

try:
    import dlms_cosem.client
    import dlms_cosem.connection
    import dlms_cosem.hdlc.connection
    import dlms_cosem.hdlc.state
    import dlms_cosem.io
    import dlms_cosem.state
    from dlms_cosem import cosem, enumerations, security
    from dlms_cosem.io import HdlcTransport, TcpTransport
except ImportError as error:  # pragma: no cover - every development environment has it
    raise ConfigError('DLMS needs a package more: pip install "gridyard[dlms]"') from error

_VALUE, _SCALER_UNIT = 2, 3
_MAX_PDU = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Where a meter is and who asks."""

    host: str
    port: int = 4059
    framing: Literal["wrapper", "hdlc"] = "wrapper"
    client: int = 16
    """16 is the public client, which most meters let read little."""
    server: int = 1
    password: str | None = field(default=None, repr=False)
    """With it: low level security (LLS); without: none."""
    timeout_s: float = 10.0
    """Bounds a readout as a whole."""


class MeterSession:
    """One association at a time; every method blocks and belongs into a thread.

    Scalers and units, and which registers the meter has not got, are remembered as long as the
    association lasts.
    """

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._io = BoundedSocket(settings.host, settings.port)
        self._client: dlms_cosem.client.DlmsClient | None = None
        self._scales: dict[str, Scale] = {}
        self._absent: set[str] = set()
        self._closed = False

    def read(self, wanted: Mapping[str, str]) -> dict[str, tuple[float | None, str]]:
        """Value and unit of every register the meter has, by the names of `wanted`.

        Raises:
            TransientError: no answer in time, or nobody there.
            ProtocolError: nonsense, or the meter does not let us in; the association is dropped.
        """
        self._io.allow(self._settings.timeout_s)
        try:
            client = self._client or self._associate()
            present = {name: code for name, code in wanted.items() if code not in self._absent}
            read = {name: self._register(client, code) for name, code in present.items()}
        except GridyardError:
            self.drop()
            raise
        except Exception as error:  # whatever it raises for bytes of strangers
            self.drop()
            raise ProtocolError(f"{type(error).__name__}: {error}"[:200]) from error
        if self._closed:
            self.drop()
        return {name: value for name, value in read.items() if value is not None}

    def close(self) -> None:
        """End a readout that runs in another thread, and leave the meter for good."""
        self._closed = True
        self._io.abort()
        self._io.disconnect()

    def drop(self) -> None:
        """Forget the association and close the connection."""
        self._io.disconnect()
        self._client = None
        self._scales.clear()
        self._absent.clear()

    def _associate(self) -> dlms_cosem.client.DlmsClient:
        settings = self._settings
        kind = HdlcTransport if settings.framing == "hdlc" else TcpTransport
        transport = kind(
            client_logical_address=settings.client,
            server_logical_address=settings.server,
            io=self._io,
        )
        client = dlms_cosem.client.DlmsClient(
            transport=transport,
            authentication=_authentication(settings.password),
            max_pdu_size=_MAX_PDU,
        )
        client.connect()
        client.associate()
        self._client = client
        return client

    def _register(
        self, client: dlms_cosem.client.DlmsClient, code: str
    ) -> tuple[float | None, str] | None:
        """Value and unit of one register; None when the meter has not got it."""
        try:
            if code not in self._scales:
                self._scales[code] = scale(client.get(_attribute(code, _SCALER_UNIT)))
            value = number(client.get(_attribute(code, _VALUE)))
        except dlms_cosem.client.DataResultError:
            self._absent.add(code)
            return None
        known = self._scales[code]
        return None if value is None else value * known.factor, known.unit


def _authentication(password: str | None) -> object:
    if password is None:
        return security.NoSecurityAuthentication()
    return security.LowLevelSecurityAuthentication(secret=password.encode())


def _attribute(code: str, attribute: int) -> object:
    found = OBIS.fullmatch(code)
    if found is None:
        raise ValueError(f"{code!r} is no OBIS code such as 1-0:1.8.0")
    obis = cosem.Obis(*(int(part) for part in found.groups()))
    return cosem.CosemAttribute(enumerations.CosemInterface.REGISTER, obis, attribute)


class _Quiet:
    """A log that keeps nothing: the library's has passwords and whole frames in it."""

    def __getattr__(self, level: str) -> object:
        return lambda *_, **__: None


for _module in (
    dlms_cosem.client,
    dlms_cosem.connection,
    dlms_cosem.hdlc.connection,
    dlms_cosem.hdlc.state,
    dlms_cosem.io,
    dlms_cosem.state,
):
    _module.LOG = _Quiet()
