"""Meter data as JSON: `{"intervals": [{"start": ..., "energy_wh": ...}, ...]}`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.errors import PermanentError
from contracts.reading import Quality
from gateway.domain.metering.issuing import Told
from gateway.meter_files.reading import MOST_INTERVALS, ReadFile, Reading, bounded

_FIRST_YEAR, _LAST_YEAR = 1990, 2100


class IntervalIn(BaseModel):
    """One interval."""

    model_config = ConfigDict(extra="forbid")
    start: Annotated[AwareDatetime, Field(description="With its offset, or Z.")]
    energy_wh: Annotated[float | None, Field(description="null: no value.")] = None
    energy_kwh: Annotated[float | None, Field(description="Instead of energy_wh.")] = None
    length_s: Annotated[int | None, Field(gt=0, le=86_400)] = None
    quality: Quality = Quality.GOOD
    issued_at: Annotated[
        AwareDatetime | None, Field(description="When its source made this value.")
    ] = None

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if self.energy_wh is not None and self.energy_kwh is not None:
            raise ValueError("give energy_wh or energy_kwh, not both")
        return self

    @property
    def wh(self) -> float | None:
        """The energy in Wh."""
        return self.energy_wh if self.energy_kwh is None else self.energy_kwh * 1000.0


class DeliveryIn(BaseModel):
    """A delivery of intervals of one meter."""

    model_config = ConfigDict(extra="forbid")
    issued_at: Annotated[
        AwareDatetime | None, Field(description="When its source made it; null: not known.")
    ] = None
    intervals: Annotated[list[IntervalIn], Field(max_length=MOST_INTERVALS)]


def read_json(data: bytes, reading: Reading) -> ReadFile:
    """A document's intervals.

    Raises:
        PermanentError: it is no such document; the message says where.
    """
    try:
        found = DeliveryIn.model_validate_json(data)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = "/".join(str(part) for part in fault["loc"])
        raise PermanentError(f"/{where}: {fault['msg']}") from error
    bounded(len(found.intervals))
    return ReadFile(told=tuple(_told(one, found.issued_at, reading) for one in found.intervals))


def _told(one: IntervalIn, issued_at: datetime | None, reading: Reading) -> Told:
    if not _FIRST_YEAR <= one.start.year <= _LAST_YEAR:
        raise PermanentError(f"{one.start} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return reading.told(
        one.start,
        one.wh,
        length=None if one.length_s is None else timedelta(seconds=one.length_s),
        quality=one.quality,
        issued_at=one.issued_at or issued_at,
    )
