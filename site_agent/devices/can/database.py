"""What frames mean: a DBC file, read by cantools, strictly and bounded in size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from contracts.errors import ConfigError, ProtocolError

try:
    import cantools
    from cantools.database.can import Database, Message
except ImportError as error:  # pragma: no cover - every development environment has it
    raise ConfigError('CAN needs packages more: pip install "gridyard[can]"') from error

BATTERY = Path(__file__).with_name("battery.dbc")
"""The frames most battery management systems send to inverters."""
MAX_BYTES = 1 << 20
_MOST_DATA = 8
_MOST_MESSAGES = 2000

FrameId = tuple[int, bool]
"""An identifier, and whether it has 29 bits."""


class SignalDatabase:
    """The messages of one DBC file."""

    def __init__(self, messages: Mapping[FrameId, Message]) -> None:
        self._messages = messages
        self._signals = {
            f"{message.name}.{signal.name}"
            for message in messages.values()
            for signal in message.signals
        }

    @classmethod
    def load(cls, path: Path = BATTERY) -> SignalDatabase:
        """Read a file.

        Raises:
            ConfigError: cannot be read, too large, or not a strictly sound DBC file.
        """
        try:
            with path.open("rb") as file:
                text = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
        if len(text) > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes")
        return cls(_parsed(path, text))

    def check(self, signal: str) -> None:
        """Raise ConfigError unless there is a signal of this name, `Message.signal`."""
        if signal not in self._signals:
            raise ConfigError(f"no signal {signal!r} in the CAN database")

    def frames_of(self, signals: frozenset[str]) -> frozenset[FrameId]:
        """The frames that carry any of these signals."""
        names = {signal.partition(".")[0] for signal in signals}
        return frozenset(key for key, one in self._messages.items() if one.name in names)

    def decode(self, frame: FrameId, data: bytes) -> dict[str, float]:
        """The signals of a frame, scaled, by `Message.signal`; a short frame has fewer.

        Raises:
            ProtocolError: an unknown frame, too long, or not decodable.
        """
        message = self._messages.get(frame)
        if message is None or len(data) > _MOST_DATA:
            raise ProtocolError(f"frame {frame[0]:X} with {len(data)} bytes is not known")
        try:
            found = message.decode_simple(data, decode_choices=False, allow_truncated=True)
        except Exception as error:  # whatever it raises for bytes of strangers
            raise ProtocolError(f"frame {frame[0]:X}: {error}"[:200]) from error
        return {
            f"{message.name}.{name}": float(value)
            for name, value in found.items()
            if isinstance(value, int | float) and math.isfinite(value)
        }


def _parsed(path: Path, text: bytes) -> dict[FrameId, Message]:
    try:
        database = cantools.database.load_string(text.decode("latin-1"), "dbc", strict=True)
    except Exception as error:  # its parser has errors of many kinds
        raise ConfigError(f"{path}: not a sound DBC file: {error}"[:500]) from error
    if not isinstance(database, Database) or len(database.messages) > _MOST_MESSAGES:
        raise ConfigError(f"{path}: not a DBC file, or more than {_MOST_MESSAGES} messages")
    return {(one.frame_id, one.is_extended_frame): one for one in database.messages}
