"""The gateway's tables. Domain values are stored as JSON documents beside the columns we search by.

The schema is made by `migrations`; a test holds the two equal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Index, MetaData, Table, UniqueConstraint
from sqlmodel import Field, SQLModel

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Document = dict[str, Any]


class Base(SQLModel):
    """Keeps the gateway's tables apart from any other program's in the same process."""

    metadata: ClassVar[MetaData] = METADATA


class EventRow(Base, table=True):
    """One modification of one event with our answer; older modifications stay as history."""

    __tablename__ = "event"

    event_key: str = Field(primary_key=True)
    modification: int = Field(primary_key=True)
    start: datetime
    end: datetime | None = Field(index=True)
    received_at: datetime
    opt: str
    cause: str
    decided_by: str = "rules"
    document: Document = Field(sa_type=JSON)


class SiteOptOutRow(Base, table=True):
    """A site its owner has taken out of one event."""

    __tablename__ = "site_opt_out"

    event_key: str = Field(primary_key=True)
    site_id: str = Field(primary_key=True)
    at: datetime
    cause: str


class PlanRow(Base, table=True):
    """One revision of the dispatch plan of an event."""

    __tablename__ = "plan"

    event_key: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    document: Document = Field(sa_type=JSON)


class OperatingEnvelopeRow(Base, table=True):
    """What one utility imposes on one site."""

    __tablename__ = "operating_envelope"

    utility_id: str = Field(primary_key=True)
    site_id: str = Field(primary_key=True)
    received_at: datetime
    document: Document = Field(sa_type=JSON)


class InstructionRow(Base, table=True):
    """One instruction to one site."""

    __tablename__ = "instruction"
    __table_args__ = (UniqueConstraint("site_id", "site_seq"),)

    instruction_id: str = Field(primary_key=True)
    site_id: str
    site_seq: int = Field(sa_type=BigInteger)
    event_key: str = Field(index=True)
    revision: int
    expires_at: datetime
    document: Document = Field(sa_type=JSON)


class SiteSequenceRow(Base, table=True):
    """The last instruction number given to a site, or seen by it."""

    __tablename__ = "site_sequence"

    site_id: str = Field(primary_key=True)
    last: int = Field(sa_type=BigInteger)


class InstructionStatusRow(Base, table=True):
    """What a site said about an instruction."""

    __tablename__ = "instruction_status"

    instruction_id: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True)
    site_id: str
    event_id: str
    reason: str


class NoticeRow(Base, table=True):
    """Something a person should know about a site."""

    __tablename__ = "notice"
    __table_args__ = (Index(None, "at"),)

    site_id: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True)
    raised: bool = Field(primary_key=True)
    severity: str
    text: str


class ReadinessRow(Base, table=True):
    """What a site said about a vehicle's readiness, each time it changed."""

    __tablename__ = "readiness"

    site_id: str = Field(primary_key=True)
    vehicle_id: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True)
    document: Document = Field(sa_type=JSON)


class OfferRow(Base, table=True):
    """The newest offer of flexibility of a site."""

    __tablename__ = "flexibility_offer"

    site_id: str = Field(primary_key=True)
    at: datetime
    document: Document = Field(sa_type=JSON)


class PriceRow(Base, table=True):
    """The prices known of one source."""

    __tablename__ = "price"

    source_id: str = Field(primary_key=True)
    document: Document = Field(sa_type=JSON)


class JournalRow(Base, table=True):
    """One decision or happening with its cause."""

    __tablename__ = "journal"

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True)
    at: datetime
    action: str
    cause: str


class ReportRow(Base, table=True):
    """One immutable version of an event's report."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("event_key", "once"),)

    event_key: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    final: bool
    once: str | None
    document: Document = Field(sa_type=JSON)


class ReportCurvesRow(Base, table=True):
    """One site's curves and baseline days in a version of a report, as immutable as that."""

    __tablename__ = "report_curves"

    event_key: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    site_id: str = Field(primary_key=True)
    document: Document = Field(sa_type=JSON)


class StatementRow(Base, table=True):
    """One immutable version of a program's statement for a month or season."""

    __tablename__ = "statement"

    program_id: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    final: bool
    document: Document = Field(sa_type=JSON)


class DeterminantRow(Base, table=True):
    """One figure told from outside; a later one on the same subject holds, this one stays."""

    __tablename__ = "determinant"

    number: int = Field(primary_key=True)
    program_id: str = Field(index=True)
    what: str
    subject: str
    document: Document = Field(sa_type=JSON)


class JobRow(Base, table=True):
    """A scheduled job that has been taken."""

    __tablename__ = "job"

    job: str = Field(primary_key=True)
    scheduled_at: datetime = Field(primary_key=True)


class UtilityDocumentRow(Base, table=True):
    """What a utility adapter remembers."""

    __tablename__ = "utility_document"

    utility_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    document: Any = Field(sa_type=JSON)


class EnrolmentTokenRow(Base, table=True):
    """The right to enrol a site once, known by the hash of its secret."""

    __tablename__ = "enrolment_token"

    secret_hash: str = Field(primary_key=True)
    site_id: str = Field(index=True)
    made_at: datetime
    expires_at: datetime
    used_by: str | None = None
    """Hash of the keys that have used it: the same keys may ask again for a lost answer."""


class SiteCredentialRow(Base, table=True):
    """A certificate and a user JWT of a site, issued together."""

    __tablename__ = "site_credential"

    serial: str = Field(primary_key=True)
    """Of the certificate, in hex."""
    site_id: str = Field(index=True)
    user_key: str
    issued_at: datetime
    until: datetime
    revoked_at: datetime | None = None
    cause: str = ""


class SiteConfigurationRow(Base, table=True):
    """Settings that were pushed to a site, and what became of them."""

    __tablename__ = "site_configuration"

    site_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    rollout: str = Field(index=True)
    stage: str = Field(index=True)
    document: Document = Field(sa_type=JSON)


class MeasurementRow(Base, table=True):
    """One value of one point. Times are microseconds since 1970, small and quick to compare."""

    __tablename__ = "measurement"
    __table_args__ = {"sqlite_with_rowid": False}

    site_id: str = Field(primary_key=True)
    point: str = Field(primary_key=True)
    at_us: int = Field(primary_key=True, sa_type=BigInteger)
    value: float | None
    quality: str
    hold_us: int | None = Field(sa_type=BigInteger)
    """How long the value holds; None: until the next, at most the store's `max_hold`."""


class HistoryRow(Base, table=True):
    """A stretch of values that were loaded, not sent by the site."""

    __tablename__ = "history"

    site_id: str = Field(primary_key=True)
    point: str = Field(primary_key=True)
    start: datetime = Field(primary_key=True)
    end: datetime
    label: str


class IngestMarkRow(Base, table=True):
    """Every outbox row of a site's epoch up to `complete` is stored (or known to be gone)."""

    __tablename__ = "ingest_mark"

    site_id: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    complete: int = Field(sa_type=BigInteger)


class IngestAheadRow(Base, table=True):
    """A run of rows that arrived before the ones in front of it."""

    __tablename__ = "ingest_ahead"

    site_id: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    first: int = Field(primary_key=True, sa_type=BigInteger)
    last: int = Field(sa_type=BigInteger)


class DeliveryCourseRow(Base, table=True):
    """How an event delivers, up to its last minute."""

    __tablename__ = "delivery_course"

    event_key: str = Field(primary_key=True)
    document: Document = Field(sa_type=JSON)


class SiteStandingRow(Base, table=True):
    """What is known of how a site delivers, from all events."""

    __tablename__ = "site_standing"

    site_id: str = Field(primary_key=True)
    document: Document = Field(sa_type=JSON)


class OfferedHourRow(Base, table=True):
    """What a site offered for one hour."""

    __tablename__ = "offered_hour"

    hour_us: int = Field(primary_key=True, sa_type=BigInteger)
    site_id: str = Field(primary_key=True)
    down_w: float
    sure_w: float
    expected_w: float
    out: str


class NominationRow(Base, table=True):
    """One revision of what is promised to a program for a period."""

    __tablename__ = "nomination"

    nomination_id: str = Field(primary_key=True)
    program_id: str = Field(index=True)
    start_us: int = Field(sa_type=BigInteger)
    end_us: int = Field(sa_type=BigInteger)
    revision: int
    request: str | None = Field(unique=True)
    document: Document = Field(sa_type=JSON)


class NominationDecisionRow(Base, table=True):
    """One step in the life of a nomination."""

    __tablename__ = "nomination_decision"

    nomination_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at_us: int = Field(sa_type=BigInteger)
    status: str
    by: str
    cause: str


def table(model: type[Base]) -> Table:
    """The table behind a model, for bulk statements."""
    return METADATA.tables[str(model.__tablename__)]
