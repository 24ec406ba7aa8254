"""Tables of energy accounts and anomalies; see `gateway.store.tables`."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Index
from sqlmodel import Field

from gateway.store.tables import Base, Document


class EndedSessionRow(Base, table=True):
    """A charging session that is over, as last told by its site."""

    __tablename__ = "ended_session"
    __table_args__ = (Index(None, "site_id", "ended_us"),)

    site_id: str = Field(primary_key=True)
    session_id: str = Field(primary_key=True)
    started_us: int = Field(sa_type=BigInteger)
    ended_us: int = Field(sa_type=BigInteger)
    told_us: int = Field(sa_type=BigInteger)
    document: Document = Field(sa_type=JSON)


class SlotWatchRow(Base, table=True):
    """How often something came in for a time up to which a site's slots are kept."""

    __tablename__ = "slot_watch"

    site_id: str = Field(primary_key=True)
    until_us: int = Field(sa_type=BigInteger, index=True)
    changes: int = Field(sa_type=BigInteger)


class SlotBlockRow(Base, table=True):
    """Slots of one point over a day, or an hour of the running one, as they were read."""

    __tablename__ = "slot_block"

    site_id: str = Field(primary_key=True)
    point: str = Field(primary_key=True)
    step_s: int = Field(primary_key=True)
    start_us: int = Field(primary_key=True, sa_type=BigInteger)
    end_us: int = Field(primary_key=True, sa_type=BigInteger)
    sums: bytes
    """Value-hours above 0, below 0, seconds; three runs of little-endian doubles, deflated."""


class PastPriceRow(Base, table=True):
    """A price of energy, by the last word of its source."""

    __tablename__ = "past_price"

    source_id: str = Field(primary_key=True)
    start_us: int = Field(primary_key=True, sa_type=BigInteger)
    end_us: int = Field(sa_type=BigInteger)
    area: str
    currency: str
    per_kwh: str
    """A decimal, exactly as it was told."""
    said_by: str
    as_of_us: int = Field(sa_type=BigInteger)
    quality: str


class AnomalyRow(Base, table=True):
    """Something wrong with a meter, a charger or a site, seen in what was told."""

    __tablename__ = "anomaly"
    __table_args__ = (Index(None, "site_id", "end_us"),)

    site_id: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    start_us: int = Field(primary_key=True, sa_type=BigInteger)
    end_us: int = Field(sa_type=BigInteger)
    document: Document = Field(sa_type=JSON)
