"""Who is there: unit by unit, what answers and what it is. Nothing is ever written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.errors import GridyardError, LinkDownError, ProtocolError, TransientError
from contracts.time import Clock
from site_agent.devices.commissioning.diagnose import Trouble, connection_trouble, silence
from site_agent.devices.commissioning.found import Found, alike
from site_agent.devices.commissioning.read_only import ReadOnlyLink
from site_agent.devices.modbus.link import RegisterLink

USUAL_UNITS = (1, 2, 3, 4, 5, 10, 100, 126, 200, 240, 247, 255, 0)
"""Asked when nobody names any: what makers ship, the common ones first."""
_NOBODYS_UNIT = 173
"""Nobody is given this one: what answers as it does not look at the unit id."""
_BUS_UNITS = range(1, 248)
"""On a serial line 0 is for everybody, who never answers, and 248 to 255 are reserved."""

Survey = Callable[[RegisterLink, int, datetime], Awaitable[Found | None]]
"""Looks at one unit; None: not of the kind it knows."""


class NobodyThereError(TransientError):
    """No device could be found; the message says why and what to do."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(f"{trouble.what}\n  -> {trouble.hint}")
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody answers as this unit."""

    unit: int
    why: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """Something answers, but neither SunSpec nor any profile knows it."""

    unit: int
    why: str


@dataclass(frozen=True, slots=True)
class SameAgain:
    """The device does not look at the unit id: it answered as an earlier one already."""

    unit: int
    first: int


Outcome = Found | Silent | Stranger | SameAgain


def usual_units(link: ReadOnlyLink) -> tuple[int, ...]:
    """The unit ids worth asking on this link."""
    return within(USUAL_UNITS, link)


def within(units: Iterable[int], link: ReadOnlyLink) -> tuple[int, ...]:
    """Those that can be asked at all on this link, each once."""
    sought = dict.fromkeys(units)
    return tuple(one for one in sought if one in _BUS_UNITS or not link.settings.is_bus)


async def probe(
    link: ReadOnlyLink, units: Sequence[int], clock: Clock, surveys: Sequence[Survey]
) -> AsyncIterator[Outcome]:
    """Ask each unit; ends early where a device answers as any unit. `surveys` are tried in order.

    Two that are alike but for a serial number, which not every device tells, may be two devices
    behind a gateway: then a unit that nobody has is asked too.

    Raises:
        NobodyThereError: no connection, or not one unit answers.
    """
    found: list[Found] = []
    heard = False
    for unit in units:
        outcome = await _ask(link, unit, clock, surveys)
        heard = heard or not isinstance(outcome, Silent)
        if isinstance(outcome, Found):
            twin = next((one for one in found if alike(outcome, one)), None)
            if twin is not None and await _one_for_all(link, twin, clock, surveys):
                yield SameAgain(unit, twin.unit)
                return
            found.append(outcome)
        yield outcome
    if not heard:
        raise NobodyThereError(await silence(link.settings))


async def _one_for_all(
    link: ReadOnlyLink, known: Found, clock: Clock, surveys: Sequence[Survey]
) -> bool:
    """Whether one device answers as every unit."""
    if known.identity.serial:
        return True
    if link.settings.is_bus:
        return False  # whatever is on a bus looks at the unit id
    anybody = await _ask(link, _NOBODYS_UNIT, clock, surveys)
    return isinstance(anybody, Found) and alike(anybody, known)


async def _ask(link: ReadOnlyLink, unit: int, clock: Clock, surveys: Sequence[Survey]) -> Outcome:
    try:
        return await recognise(link, unit, clock, surveys)
    except LinkDownError as error:
        trouble = await connection_trouble(link.settings)
        if trouble is not None:
            raise NobodyThereError(trouble) from error
        return Silent(unit, str(error))
    except TransientError as error:
        return Silent(unit, str(error))
    except GridyardError as error:
        return Stranger(unit, str(error))


async def recognise(
    link: RegisterLink, unit: int, clock: Clock, surveys: Sequence[Survey]
) -> Found:
    """What one unit is, by the first of `surveys` that knows it.

    Raises:
        ProtocolError: it answers, but nobody knows it.
        TransientError: no answer.
    """
    reasons = []
    for survey in surveys:
        try:
            found = await survey(link, unit, clock.now())
        except ProtocolError as error:
            reasons.append(str(error))
        else:
            if found is not None:
                return found
    raise ProtocolError("; ".join([*reasons, "no profile that was tried fits"]))


async def meet(link: RegisterLink, unit: int, clock: Clock, surveys: Sequence[Survey]) -> Found:
    """As `recognise`, for one that must be there.

    Raises:
        NobodyThereError: no answer; it says what to do.
        ProtocolError: as `recognise`.
    """
    try:
        return await recognise(link, unit, clock, surveys)
    except TransientError as error:
        raise NobodyThereError(await _why(link, unit, error)) from error


async def _why(link: RegisterLink, unit: int, error: TransientError) -> Trouble:
    if not link.connected:
        trouble = await connection_trouble(link.settings)
        if trouble is not None:
            return trouble
    return Trouble(
        f"{link.settings.where} does not answer as unit {unit} ({error})",
        "is the unit id right? `gridyard device probe` asks all the usual ones",
    )
