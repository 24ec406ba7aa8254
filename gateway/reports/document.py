"""The report document as JSON and back: what the ledger stores and the API serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from contracts.errors import PermanentError
from gateway.domain.measure.report import ParticipationReport, SiteResult

_SERIES = ("baseline", "actual", "target")
_DOCUMENT: TypeAdapter[ParticipationReport] = TypeAdapter(ParticipationReport)
_SITE: TypeAdapter[SiteResult] = TypeAdapter(SiteResult)


def dump(report: ParticipationReport) -> Mapping[str, object]:
    """The report as JSON-ready data; times are RFC 3339 in UTC.

    Site by site: the serializer lets no other thread run, and a thousand sites take a while.
    """
    bare = _DOCUMENT.dump_python(replace(report, sites=()), mode="json")
    return {**bare, "sites": [_SITE.dump_python(one, mode="json") for one in report.sites]}


def load(data: Mapping[str, object]) -> ParticipationReport:
    """A report from stored data, equal to the one that was dumped.

    Sites that were read without their curves and baseline days have none.

    Raises:
        PermanentError: the data are not a participation report of this version of the program.
    """
    try:
        return _DOCUMENT.validate_python(_with_curves(data))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = "/".join(str(part) for part in fault["loc"])
        raise PermanentError(f"stored report cannot be read: {where}: {fault['msg']}") from error


def _with_curves(data: Mapping[str, object]) -> Mapping[str, object]:
    match data:
        case {"sites": list(sites), "curves": {"span": span}}:
            none = {"span": span} | {name: {"steps": []} for name in _SERIES}
            empty = {"curves": none, "days": []}
            full = [{**empty, **one} if isinstance(one, Mapping) else one for one in sites]
            return {**data, "sites": full}
        case _:
            return data
