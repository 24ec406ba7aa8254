"""Tokens, issued credentials and revocations on the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from gateway.ports import StoredCredential, StoredToken
from gateway.store.database import Database, insert_once
from gateway.store.tables import EnrolmentTokenRow, SiteCredentialRow

_MARK = "revocation of"


class SqlAccessBook:
    """`gateway.ports.AccessBook`; see there for what each method means."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def put_token(self, secret_hash: str, token: StoredToken, made_at: datetime) -> None:
        """Keep a new token."""
        row = EnrolmentTokenRow(
            secret_hash=secret_hash,
            site_id=token.site_id,
            made_at=made_at,
            expires_at=token.expires_at,
        )
        await self._write(lambda s: s.add(row))

    async def token(self, secret_hash: str) -> StoredToken | None:
        """The token with this secret."""

        def work(session: Session) -> StoredToken | None:
            row = session.get(EnrolmentTokenRow, secret_hash)
            return None if row is None else _token(row)

        return await self._read(work)

    async def redeem(
        self, secret_hash: str, keys_hash: str, credential: StoredCredential
    ) -> StoredToken | None:
        """Use a token and keep what was issued for it; else the token as it is."""

        def work(session: Session) -> StoredToken | None:
            row = session.get(EnrolmentTokenRow, secret_hash)
            if row is None:
                return StoredToken(site_id=credential.site_id, expires_at=credential.issued_at)
            good = row.expires_at > credential.issued_at and row.used_by in (None, keys_hash)
            if not good or not _add(session, credential):
                return _token(row)
            row.used_by = keys_hash
            return None

        return await self._write(work)

    async def add(self, credential: StoredCredential) -> bool:
        """Keep what was issued, unless its user key is revoked."""
        return await self._write(lambda s: _add(s, credential))

    async def credentials(self, site_id: str) -> Sequence[StoredCredential]:
        """Everything issued to a site, newest first."""
        query = (
            select(SiteCredentialRow)
            .where(SiteCredentialRow.site_id == site_id, SiteCredentialRow.user_key != "")
            .order_by(col(SiteCredentialRow.issued_at).desc())
        )
        return await self._read(lambda s: [_credential(row) for row in s.exec(query)])

    async def seen(self, credential: StoredCredential) -> None:
        """Keep what a site has connected with, unless its user key is known."""
        known = select(SiteCredentialRow.serial).where(
            SiteCredentialRow.user_key == credential.user_key
        )
        revoked_since = select(SiteCredentialRow.revoked_at).where(
            SiteCredentialRow.site_id == credential.site_id,
            col(SiteCredentialRow.revoked_at) >= credential.issued_at,
        )

        def work(session: Session) -> None:
            if session.exec(known).first() is None:
                row = _row(credential)
                row.revoked_at = session.exec(revoked_since).first()
                session.add(row)

        await self._write(work)

    async def revoke(self, site_id: str, at: datetime, cause: str) -> int:
        """Take back all that a site has, its unused tokens too."""
        issued = select(SiteCredentialRow).where(
            SiteCredentialRow.site_id == site_id, col(SiteCredentialRow.revoked_at).is_(None)
        )
        tokens = select(EnrolmentTokenRow).where(
            EnrolmentTokenRow.site_id == site_id, EnrolmentTokenRow.expires_at > at
        )

        def work(session: Session) -> int:
            for token in session.exec(tokens):
                token.expires_at = at
            found = session.exec(issued).all()
            for row in found:
                row.revoked_at, row.cause = at, cause
            insert_once(session, SiteCredentialRow, _mark(site_id, at, cause))
            return sum(row.until > at for row in found)

        return await self._write(work)

    async def revoked(self, now: datetime) -> Mapping[str, datetime]:
        """User keys taken back whose JWT would still be good, and since when."""
        query = select(SiteCredentialRow).where(
            col(SiteCredentialRow.revoked_at).is_not(None), SiteCredentialRow.until > now
        )

        def work(session: Session) -> Mapping[str, datetime]:
            rows = session.exec(query).all()
            return {row.user_key: row.revoked_at for row in rows if row.revoked_at is not None}

        return await self._read(work)


def _add(session: Session, credential: StoredCredential) -> bool:
    revoked = select(SiteCredentialRow.serial).where(
        SiteCredentialRow.user_key == credential.user_key,
        col(SiteCredentialRow.revoked_at).is_not(None),
    )
    if session.exec(revoked).first() is not None:
        return False
    session.add(_row(credential))
    return True


def _row(credential: StoredCredential) -> SiteCredentialRow:
    return SiteCredentialRow(
        serial=credential.serial,
        site_id=credential.site_id,
        user_key=credential.user_key,
        issued_at=credential.issued_at,
        until=credential.until,
        cause=credential.cause,
    )


def _mark(site_id: str, at: datetime, cause: str) -> SiteCredentialRow:
    """Of a revocation itself: it counts for what was issued elsewhere, too (see `seen`)."""
    return SiteCredentialRow(
        serial=f"{_MARK} {site_id} {at.isoformat()}",
        site_id=site_id,
        user_key="",
        issued_at=at,
        until=at,
        revoked_at=at,
        cause=cause,
    )


def _token(row: EnrolmentTokenRow) -> StoredToken:
    return StoredToken(site_id=row.site_id, expires_at=row.expires_at, used_by=row.used_by)


def _credential(row: SiteCredentialRow) -> StoredCredential:
    return StoredCredential(
        serial=row.serial,
        site_id=row.site_id,
        user_key=row.user_key,
        issued_at=row.issued_at,
        until=row.until,
        revoked_at=row.revoked_at,
        cause=row.cause,
    )
