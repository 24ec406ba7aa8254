"""The registers that limit the site: bounded, leased, and read back as they were written.

When the writer dies its lease ends and the input does as its settings declare; when the agent dies
setpoints lapse in the devices, and after a restart the last limits are taken up again.
"""

from __future__ import annotations

from collections.abc import Sequence

from site_agent.domain.instruction import Bounds
from site_agent.domain.protect.telecontrol import Order, Voice, tightest
from site_agent.flows.orders.telecontrol import Telecontrol
from site_agent.scada.map import LIMITS, LIMITS_SIZE, NO_LONG, NO_WORD

_MOST_W = 1_000_000_000
_MOST_SHARE = 1000
"""100 % in registers of 0.1 %."""
_LONGS = 4
_WATCHDOG = 10
_FREE = (NO_WORD,) * _WATCHDOG
_STATES = {Voice.HEARD: 1, Voice.KEPT: 2, Voice.FAIL_SAFE: 3}


class OutsideError(Exception):
    """No such registers, or only half of a number (Modbus exception 2)."""


class ValueRefusedError(Exception):
    """Not a value for this register (Modbus exception 3)."""


class LimitRegisters:
    """An input of the site's telecontrol as registers 200 to 210, and its state as 220 to 224."""

    def __init__(self, telecontrol: Telecontrol, input_id: str, of_w: float | None) -> None:
        self._telecontrol = telecontrol
        self._input_id = input_id
        self._of_w = of_w
        self._words = self._taken_up(telecontrol.last(input_id))

    @property
    def words(self) -> tuple[int, ...]:
        """As written."""
        return tuple(self._words)

    def state(self) -> tuple[int, ...]:
        """What holds, until when, and what was agreed."""
        now = self._telecontrol.standing(self._input_id)
        never = self._telecontrol.last(self._input_id) is None
        left_s = self._telecontrol.remaining_s(self._input_id)
        bounds = now.order.bounds
        sides = (bounds.import_w, bounds.export_w, bounds.load_w, bounds.generation_w)
        return (
            0 if never else _STATES[now.voice],
            NO_WORD if left_s is None else _seconds(left_s),
            _seconds(now.spec.valid_for_s),
            _seconds(now.spec.keep_s),
            sum((side is not None) << bit for bit, side in enumerate(sides)),
        )

    def write(self, address: int, words: Sequence[int]) -> None:
        """Take all of it or nothing; any write renews the lease.

        Raises:
            OutsideError: not wholly within the limits, or half of a number.
            ValueRefusedError: beyond its range, or a percentage of nothing.
        """
        start = address - LIMITS
        end = start + len(words)
        if not 0 <= start < end <= LIMITS_SIZE or _halves(start) or _halves(end):
            raise OutsideError
        written = [*self._words[:start], *words, *self._words[end:]]
        order = self._order(written)
        self._words = written
        self._telecontrol.heard(self._input_id, order)

    def _taken_up(self, last: Order | None) -> list[int]:
        """As written before a restart; in W alone where percentages mean nothing any more."""
        if last is None:
            return [*_FREE, 0]
        shares = last.as_written[2 * _LONGS :]
        lost = self._of_w is None and shares != _FREE[2 * _LONGS :]
        if lost or len(last.as_written) != _WATCHDOG:
            return [*_registers(last.bounds), *_FREE[2 * _LONGS :], 0]
        return [*last.as_written, 0]

    def _order(self, words: Sequence[int]) -> Order:
        watts = [_watts(words[2 * n] << 16 | words[2 * n + 1]) for n in range(_LONGS)]
        import_w, export_w, load_w, generation_w = watts
        in_watts = Bounds(
            import_w=import_w,
            export_w=_negative(export_w),
            load_w=load_w,
            generation_w=_negative(generation_w),
        )
        shares = Bounds(
            export_w=self._share(words[2 * _LONGS]), generation_w=self._share(words[2 * _LONGS + 1])
        )
        bounds = tightest([in_watts, shares])
        return Order(
            bounds=bounds,
            words="as written" if bounds.bind else "nothing limited",
            as_written=tuple(words[:_WATCHDOG]),
        )

    def _share(self, word: int) -> float | None:
        if word == NO_WORD:
            return None
        if word > _MOST_SHARE or self._of_w is None:
            raise ValueRefusedError
        return _negative(self._of_w * word / _MOST_SHARE)


def _halves(place: int) -> bool:
    """Whether this place lies inside a number of two registers."""
    return place < 2 * _LONGS and place % 2 == 1


def _watts(number: int) -> float | None:
    if number == NO_LONG:
        return None
    if number > _MOST_W:
        raise ValueRefusedError
    return float(number)


def _negative(magnitude_w: float | None) -> float | None:
    return None if magnitude_w is None else 0.0 - magnitude_w


def _registers(bounds: Bounds) -> list[int]:
    """Limits as magnitudes in W."""
    sides = (bounds.import_w, bounds.export_w, bounds.load_w, bounds.generation_w)
    numbers = [NO_LONG if side is None else min(_MOST_W, int(abs(side))) for side in sides]
    return [word for number in numbers for word in (number >> 16, number & 0xFFFF)]


def _seconds(seconds: float) -> int:
    return min(NO_WORD - 1, max(0, int(seconds)))
