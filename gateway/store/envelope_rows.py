"""What utilities impose on sites: session work behind `SqlLedger`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from gateway.domain.operating_envelope import OperatingEnvelope
from gateway.ports import StoredEnvelope
from gateway.store import documents
from gateway.store.database import upsert
from gateway.store.tables import OperatingEnvelopeRow


def put_envelope(session: Session, envelope: OperatingEnvelope, received_at: datetime) -> None:
    """Write or replace what a utility imposes on a site."""
    row = OperatingEnvelopeRow(
        utility_id=envelope.utility_id,
        site_id=envelope.site_id,
        received_at=received_at,
        document=documents.ENVELOPE.dump(envelope),
    )
    session.connection().execute(upsert(session, OperatingEnvelopeRow), [row.model_dump()])


def envelopes(session: Session) -> Sequence[StoredEnvelope]:
    """All of them, in order of utility and site."""
    query = select(OperatingEnvelopeRow).order_by(
        col(OperatingEnvelopeRow.utility_id), col(OperatingEnvelopeRow.site_id)
    )
    return [
        StoredEnvelope(envelope=documents.ENVELOPE.load(row.document), received_at=row.received_at)
        for row in session.exec(query)
    ]
