"""Rows of participation reports: the document, and apart from it the long parts of each site.

Curves and baseline days are nearly all of a document; a list or a statement needs none, a page
those of the sites it shows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert
from sqlmodel import Session, col, select

from gateway.store.tables import ReportCurvesRow, ReportRow, table

_APART = ("curves", "days")


def put(
    session: Session, event_key: str, report: Mapping[str, object], final: bool, once: str | None
) -> int:
    """Store the next version unless one is there under this `once`; its number."""
    query = select(ReportRow.version, ReportRow.once).where(ReportRow.event_key == event_key)
    known = session.exec(query).all()
    for version, under in known:
        if once is not None and under == once:
            return version
    version = max((number for number, _ in known), default=0) + 1
    bare, curves = _apart(report)
    document = {**bare, "version": version, "final": final}
    session.add(
        ReportRow(event_key=event_key, version=version, final=final, once=once, document=document)
    )
    if curves:
        rows = [
            {"event_key": event_key, "version": version, "site_id": site_id, "document": document}
            for site_id, document in curves.items()
        ]
        session.connection().execute(insert(table(ReportCurvesRow)), rows)
    return version


def report(
    session: Session, event_key: str, version: int | None, curves_of: Collection[str] | slice | None
) -> Mapping[str, object] | None:
    """A version, or the newest, with the curves of these sites; None: of all of them."""
    query = select(ReportRow).where(ReportRow.event_key == event_key)
    if version is not None:
        query = query.where(ReportRow.version == version)
    row = session.exec(query.order_by(col(ReportRow.version).desc()).limit(1)).first()
    if row is None:
        return None
    if isinstance(curves_of, slice):
        sites: Sequence[Mapping[str, Any]] = row.document["sites"]
        curves_of = [one["site_id"] for one in sites[curves_of]]
    if curves_of is not None and not curves_of:
        return row.document
    parts = select(ReportCurvesRow.site_id, ReportCurvesRow.document).where(
        ReportCurvesRow.event_key == event_key, ReportCurvesRow.version == row.version
    )
    if curves_of is not None:
        parts = parts.where(col(ReportCurvesRow.site_id).in_(curves_of))
    return _together(row.document, dict(session.exec(parts).all()))


def newest_is_final(session: Session, event_key: str) -> bool | None:
    """Without reading its document, which is large and asked about twice a second."""
    query = select(ReportRow.final).where(ReportRow.event_key == event_key)
    return session.exec(query.order_by(col(ReportRow.version).desc()).limit(1)).first()


def newest_versions(session: Session) -> Mapping[str, int]:
    """By event, the number of its newest report."""
    query = select(ReportRow.event_key, func.max(ReportRow.version)).group_by(ReportRow.event_key)
    return dict(session.exec(query).all())


def _apart(report: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    sites = report.get("sites", ())
    if not any("curves" in one for one in sites):
        return report, {}
    parts = {one["site_id"]: {key: one[key] for key in _APART if key in one} for one in sites}
    bare = [{key: value for key, value in one.items() if key not in _APART} for one in sites]
    return {**report, "sites": bare}, parts


def _together(document: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    if not parts:
        return document
    sites = [{**one, **parts.get(one["site_id"], {})} for one in document["sites"]]
    return {**document, "sites": sites}
