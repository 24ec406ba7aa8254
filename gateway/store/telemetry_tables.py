"""Tables of meter intervals and of thinned telemetry; see `gateway.store.tables`."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field

from gateway.store.tables import Base


class MeterIntervalRow(Base, table=True):
    """A version of what a revenue meter counted in an interval: never changed, never dropped."""

    __tablename__ = "meter_interval"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (read once, by SQLModel)

    site_id: str = Field(primary_key=True)
    meter: str = Field(primary_key=True)
    start_us: int = Field(primary_key=True, sa_type=BigInteger)
    version: int = Field(primary_key=True)
    """From 1, in order of arrival."""
    length_s: int
    energy_wh: float | None
    quality: str
    issued_us: int = Field(sa_type=BigInteger)
    """When its source made it; of several versions the one issued last counts."""
    received_us: int = Field(sa_type=BigInteger)
    reason: str


class MeterDeliveryRow(Base, table=True):
    """A delivery that said something new; open until the reports it concerns were made again."""

    __tablename__ = "meter_delivery"

    number: int | None = Field(default=None, primary_key=True)
    site_id: str
    meter: str
    received_us: int = Field(sa_type=BigInteger)
    first_us: int = Field(sa_type=BigInteger)
    until_us: int = Field(sa_type=BigInteger)
    """End of the last interval."""
    stored: int
    settled_us: int | None = Field(default=None, sa_type=BigInteger, index=True)


class MeanRow(Base, table=True):
    """The mean of one point over one short interval: what is left of values that were thinned."""

    __tablename__ = "measurement_mean"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (read once, by SQLModel)

    site_id: str = Field(primary_key=True)
    point: str = Field(primary_key=True)
    step_s: int = Field(primary_key=True)
    start_us: int = Field(primary_key=True, sa_type=BigInteger)
    mean: float
    """Time-weighted, over the covered part."""
    coverage: float
    """Part of the interval with a usable value, above 0 to 1."""
    quality: str
    """`good`, or `estimated` where any value was."""
