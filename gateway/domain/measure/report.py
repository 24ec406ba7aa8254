"""The participation report as data: one immutable document that the HTML, the PDF and the API show.

Powers in W, energies in Wh, load convention; reductions positive. Pages and PDF turn them into kW
and local time. Built by `flows.settlement`, stored as numbered versions, never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.availability import Availability, Response
from gateway.domain.measure.shortfall import Shortfall
from gateway.domain.settle.event_account import EventAccount
from gateway.domain.settle.line import Line
from gateway.domain.settle.sharing import Sharing


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHeader:
    """What was asked, by whom, and how fast we answered."""

    event_key: str
    event_id: str
    utility_id: str
    program_id: str
    program_name: str
    test: bool
    simulated: bool
    """True when any data comes from simulated hardware or labelled synthetic history."""
    window: Interval
    signal: str
    """In words, for example "reduce by 60 kW against baseline (LOAD_DISPATCH delta)"."""
    time_zone: str
    """IANA name in which people read this report."""
    notified_at: datetime
    opted_in_at: datetime | None
    first_response_at: datetime | None
    """When the first site reported `started`."""
    all_applied_s: float | None
    """Seconds from the event's start until every charger had accepted its limit."""
    opt: str
    opt_cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigures:
    """The event in five numbers; None where data do not allow it."""

    performance_pct: float | None
    """Delivered over asked, by the rule in `performance_rule`."""
    delivered_mean_w: float | None
    delivered_min_w: float | None
    """Of the worst interval."""
    nominated_w: float
    target_mean_w: float
    reduced_wh: float | None
    rebound_w: float | None
    """Highest load above baseline after the event."""
    coverage: float
    """Share of the window with measured data, 0-1."""
    factor_pct: float | None = None
    """What the performance counts as by the program's rule (floor, pass mark, cap)."""
    rebound_wh: float | None = None
    """Energy above baseline after the event."""
    availability: Availability = field(default_factory=Availability)
    response: Response = field(default_factory=Response)
    shortfall: Shortfall | None = None
    """What is missing of what was asked, and why; None: nothing, or a document of before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """What the chart shows, from before the event until after it; gaps stay gaps."""

    span: Interval
    baseline: StepSeries
    actual: StepSeries
    target: StepSeries
    """Load the portfolio should have had (baseline less reduction asked)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineDay:
    """One past day that was looked at."""

    day: date
    used: bool
    reason: str
    """Why it was rejected; empty when used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteResult:
    """One participant."""

    site_id: str
    name: str
    nominated_w: float
    asked_mean_w: float
    delivered_mean_w: float | None
    performance_pct: float | None
    reduced_wh: float | None
    vehicles_ready: int
    vehicles_total: int
    opted_out: bool
    coverage: float
    adjustment: float | None
    """Same-day adjustment as applied (ratio, or shift in W)."""
    adjustment_capped: bool
    days: tuple[BaselineDay, ...]
    history_label: str | None
    """For example "synthetic" when the baseline's history was generated."""
    curves: Curves
    inputs_hash: str
    """SHA-256 over everything the baseline was computed from."""
    baseline_note: str = ""
    """What was fallen back to for want of days, and what of the adjustment window was left out."""
    rebound_w: float | None = None
    rebound_wh: float | None = None
    """Highest load, and energy, above baseline after the event."""
    availability: Availability = field(default_factory=Availability)
    response: Response = field(default_factory=Response)
    shortfall: Shortfall | None = None
    """What is missing of what was planned of it, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportException:
    """Something that did not go to plan."""

    at: datetime
    site_id: str
    kind: str
    """`opt-out`, `charger-offline`, `limit-not-obeyed`, `vehicle-short`, `link-lost`, ..."""
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRemark:
    """A stretch of a revenue meter's intervals: missing, flagged, estimated or noteworthy."""

    site_id: str
    meter: str
    part: str
    """What it is part of: the event, the hours after, the adjustment window, a baseline day."""
    what: str
    """`missing`, `not valid`, `estimated`, `noteworthy`, `corrected`."""
    window: Interval
    intervals: int
    reason: str

    def estimates(self, interval: Interval) -> bool:
        """Whether an interval was estimated, not measured, by this."""
        return self.what == "estimated" and self.window.overlaps(interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChange:
    """A figure that is another than in the version before."""

    where: str
    """`portfolio`, or a site's id."""
    what: str
    unit: str
    before: float | str | None
    after: float | str | None
    """Amounts of money are exact decimals as text; None: it was not known, or is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnomaly:
    """Something wrong with what was measured, where this event is settled on it."""

    site_id: str
    code: str
    """See `gateway.domain.anomaly.finding.Code`."""
    subject: str
    evidence: Interval
    touches: tuple[str, ...]
    """Of what the report rests on: the event, the adjustment window, a baseline day, ..."""
    reason: str
    what_to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipationReport:
    """One version of one event's report."""

    version: int
    final: bool
    """False: PRELIMINARY."""
    created_at: datetime
    header: ReportHeader
    figures: KeyFigures
    curves: Curves
    """Of the whole portfolio."""
    sites: tuple[SiteResult, ...]
    exceptions: tuple[ReportException, ...]
    method: str
    """The baseline rule in words, with its parameters."""
    estimated_intervals: int
    performance_rule: str = ""
    """By which delivery is judged, in words; empty in documents from before it was told."""
    lines: tuple[Line, ...] = ()
    """What the event is worth to the portfolio by the program's rates."""
    sharing: Mapping[str, Sharing] = field(default_factory=dict)
    """By site, its contract on the money when the report was made; a site without one is absent."""
    account: EventAccount | None = None
    """What statements compute with; None: a document of before, or not for this reader."""
    anomalies: tuple[ReportAnomaly, ...] = ()
    """Found by the time the report was made."""
    measured_by: str = ""
    """By what all loads were measured; empty in documents from before it was told."""
    data: tuple[DataRemark, ...] = ()
    """What is to be said of the meter data it rests on."""
    waits_until: datetime | None = None
    """It is preliminary because meter data are missing, until then at the latest."""
    missing_rule: str = ""
    """What the program makes of intervals that are missing; empty where none is."""
    changes: tuple[ReportChange, ...] = ()
    """Against the version before."""
