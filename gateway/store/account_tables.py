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
