"""Small in-memory stand-ins for what the acting half of the IEEE 2030.5 client needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from contracts.reading import Quality, Reading
from contracts.sep2 import codec
from contracts.sep2.dialect import CSIPAUS_V1_3_STORAGE
from contracts.sep2.resources import (
    DateTimeInterval,
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERProgram,
    EndDevice,
    EventStatus,
    ModeValue,
    RejectedItem,
    Resource,
)
from contracts.site_link.messages import Notice
from contracts.time import Interval
from gateway.domain.operating_envelope import OperatingEnvelope
from gateway.ports import ReportPoint, SiteState
from gateway.utility.sep2.outbox import Message
from gateway.utility.sep2.settings import DeviceSettings, Sep2Settings
from gateway.utility.sep2.view import DeviceView, ProgramView, ServerView

UTILITY = "utility-1"
T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)


class PowerCutError(Exception):
    """The process died right here."""


class FragileMemory:
    """`UtilityMemory` that takes only JSON, and may die before or after any of its writes."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str, str], object] = {}
        self.writes = 0
        self.die_at: int | None = None
        """Number of the write that is done, but never returns."""
        self.fail_next: Exception | None = None
        """What the next `save` meets instead of storing anything."""

    async def load(self, utility_id: str, kind: str) -> Mapping[str, object]:
        return {k[2]: v for k, v in self.documents.items() if k[:2] == (utility_id, kind)}

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        await asyncio.sleep(0)
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error
        self.documents[utility_id, kind, key] = _json(document)
        self._count()

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        await asyncio.sleep(0)
        self.documents.pop((utility_id, kind, key), None)
        self._count()

    def _count(self) -> None:
        self.writes += 1
        if self.writes == self.die_at:
            raise PowerCutError


def _json(document: object) -> object:
    assert isinstance(document, dict | list | str | int | float | bool | None)
    match document:
        case dict():
            return {str(key): _json(value) for key, value in document.items()}
        case list():
            return [_json(value) for value in document]
        case _:
            return document


class FakeWire:
    """`outbox.Wire` and `outbox.Arrivals`: a server that takes what it is told to take."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        """(href, body) of what has arrived."""
        self.trouble: list[Exception | None] = []
        """What the next requests meet, before they arrive; None: nothing."""
        self.lose_answers: list[Exception] = []
        """What the next requests meet after they have arrived."""
        self.shows_lists = True
        self.asked: list[str] = []
        self.before: Callable[[str], Coroutine[Any, Any, None]] | None = None

    def encode(self, resource: Resource) -> bytes:
        return repr(resource).encode()

    async def send(
        self, method: Literal["PUT", "POST"], href: str, body: bytes, kind: str
    ) -> str | None:
        if self.before is not None:
            await self.before(href)
        if self.trouble and (error := self.trouble.pop(0)) is not None:
            raise error
        self.taken.append((href, body.decode()))
        if self.lose_answers:
            raise self.lose_answers.pop(0)
        return None

    async def holds(self, message: Message) -> bool:
        self.asked.append(message.key)
        return self.shows_lists and (message.href, message.body) in self.taken


Wanted = TypeVar("Wanted", bound=Resource)


class XmlWire(FakeWire):
    """Takes real XML."""

    def encode(self, resource: Resource) -> bytes:
        return codec.encode(resource)

    def sent(self, kind: type[Wanted]) -> list[tuple[str, Wanted]]:
        """What has arrived, by where, in order."""
        return [(href, codec.decode(body.encode(), kind)) for href, body in self.taken]

    def resources(self, kind: type[Wanted]) -> list[Wanted]:
        """What has arrived, in order."""
        return [resource for _, resource in self.sent(kind)]


@asynccontextmanager
async def running(work: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Something that runs until the block ends."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


# --- what the server shows ---------------------------------------------------------------------


def mrid(number: int) -> str:
    """As a server may write it: lower case."""
    return f"{number:08d}0000000000000000abcdef01"


def der_control(
    number: int, start: float, minutes: float, modes: Mapping[str, ModeValue], **more: object
) -> DERControl:
    """A control over some minutes from T0 that wants every answer; the higher number is newer."""
    window = DateTimeInterval(
        start=T0 + timedelta(minutes=start), duration=timedelta(minutes=minutes)
    )
    fields: dict[str, object] = {
        "href": f"/derc/{number}",
        "reply_to": "/rsp",
        "response_required": 7,
        "mrid": mrid(number),
        "description": f"control {number}",
        "creation_time": T0 - timedelta(hours=1) + timedelta(seconds=number),
        "event_status": EventStatus(current_status=0, date_time=T0),
        "interval": window,
        "der_control_base": DERControlBase(modes=modes),
    }
    return DERControl(**(fields | more))  # type: ignore[arg-type]


def default_control(modes: Mapping[str, ModeValue], **more: object) -> DefaultDERControl:
    """A default."""
    base = DERControlBase(modes=modes)
    return DefaultDERControl(mrid=mrid(900), der_control_base=base, **more)  # type: ignore[arg-type]


def program(
    number: int = 1,
    *controls: DERControl,
    default: DefaultDERControl | None = None,
    rejected: Sequence[RejectedItem] = (),
    primacy: int | None = None,
) -> ProgramView:
    """A program whose primacy is its number."""
    return ProgramView(
        href=f"/derp/{number}",
        program=DERProgram(
            mrid=mrid(100 + number),
            description=f"Group {number}",
            primacy=number if primacy is None else primacy,
        ),
        controls=controls,
        default=default,
        rejected=tuple(rejected),
    )


def device_view(settings: DeviceSettings, *programs: ProgramView, **more: object) -> DeviceView:
    """An EndDevice as the server shows it."""
    fields: dict[str, object] = {
        "lfdi": settings.lfdi,
        "href": "/edev/1",
        "end_device": EndDevice(lfdi=settings.lfdi),
        "programs": tuple(sorted(programs, key=lambda p: p.key)),
    }
    return DeviceView(**(fields | more))  # type: ignore[arg-type]


def server_view(*devices: DeviceView, mup: str | None = "/mup") -> ServerView:
    """A whole server."""
    return ServerView(devices={one.lfdi: one for one in devices}, mirror_usage_points=mup)


def device_settings(number: int = 1, **more: object) -> DeviceSettings:
    """A device of one site with a battery."""
    fields: dict[str, object] = {
        "lfdi": f"{number:040X}",
        "sites": (f"depot-{number}",),
        "ratings": {
            "rtg_max_w": 200_000.0,
            "rtg_max_charge_rate_w": 80_000.0,
            "rtg_max_discharge_rate_w": 100_000.0,
        },
    }
    return DeviceSettings.model_validate(fields | more)


def sep2_settings(*devices: DeviceSettings, **more: object) -> Sep2Settings:
    """Of one utility."""
    file = Path("unused")
    fields: dict[str, object] = {
        "utility_id": UTILITY,
        "url": "https://utility.example/dcap",
        "ca": file,
        "cert": file,
        "key": file,
        "csipaus": CSIPAUS_V1_3_STORAGE,
        "devices": devices or (device_settings(),),
    }
    return Sep2Settings.model_validate(fields | more)


class Envelopes:
    """`EnvelopeIntake` that remembers what was imposed, and may refuse."""

    def __init__(self) -> None:
        self.imposed: dict[str, OperatingEnvelope] = {}
        self.calls: list[OperatingEnvelope] = []
        self.trouble: list[Exception] = []

    async def impose(self, envelope: OperatingEnvelope) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.calls.append(envelope)
        self.imposed[envelope.site_id] = envelope


# --- what the sites tell -----------------------------------------------------------------------


class Sites:
    """`UsageSource` and `SiteStates`: constant means, and newest readings."""

    def __init__(self) -> None:
        self.means: dict[str, float] = {}
        """By point id, W."""
        self.quality = Quality.GOOD
        self.gaps: list[Interval] = []
        self.asked: list[tuple[str, Interval]] = []
        self.states: dict[str, SiteState] = {}
        self.told: list[tuple[str, Notice]] = []

    def has(self, site: str, at: datetime, *, online: bool = True, **values: float) -> None:
        """A site with readings at an instant, and constant means of its powers."""
        readings = {
            name: Reading(value=value, quality=Quality.GOOD, at=at)
            for name, value in values.items()
        }
        self.states[site] = SiteState(online=online, readings=readings)
        for name, value in values.items():
            if name.endswith("power_w"):
                self.means[f"site/{site}/{name.removeprefix('pcc_')}"] = value

    async def points(self) -> Sequence[ReportPoint]:
        return [ReportPoint(point_id=point, site_id=None, unit="W") for point in self.means]

    async def usage(self, point_id: str, interval: Interval) -> Reading:
        self.asked.append((point_id, interval))
        assert interval.end is not None
        missing = any(gap.overlaps(interval) for gap in self.gaps)
        if missing or point_id not in self.means:
            return Reading.missing(interval.end)
        return Reading(value=self.means[point_id], quality=self.quality, at=interval.end)

    def state(self, site_id: str) -> SiteState:
        return self.states[site_id]

    async def notices(self, window: Interval) -> Sequence[tuple[str, Notice]]:
        return [(site, notice) for site, notice in self.told if notice.at in window]
