"""A program: versioned, dated, never edited in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.device_class import DeviceClass
from gateway.domain.program.measuring import ExportRule, MeasuredBy
from gateway.domain.program.method import BaselineKind, BaselineMethod
from gateway.domain.program.opting import Policy
from gateway.domain.program.rules import Rules
from gateway.domain.program.wall import local_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One version of one demand-response program of one utility."""

    program_id: str
    """The utility's own name for it: the market context of OpenADR 2.0b."""
    name: str
    utility_id: str
    version: str = "1"
    valid_from: date | None = None
    """Local date from which this version holds; None: from ever."""
    template: str = ""
    """The template it was made from, such as `csrp-type`."""
    product: str = ""
    """The product we take part in, where the rules have several; empty: whichever."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Zone of the program's wall clock: windows, days and months are local."""
    rules: Rules = field(default_factory=Rules)
    on_breach: Policy = Policy.ACCEPT
    """What we do with an event by which the utility breaks its own rules."""
    on_voluntary: Policy = Policy.ACCEPT
    """What we do with an event in which nobody has to take part."""
    baseline: BaselineMethod = field(default_factory=BaselineMethod)
    measurement_interval: timedelta = timedelta(minutes=15)
    """Length of the intervals in which delivery is judged."""
    measured_by: MeasuredBy = MeasuredBy.SITE_AGENT
    """What loads are settled on; planning and correction always follow the sites' agents."""
    meter_wait: timedelta = timedelta(days=14)
    """So long after its end an event's report waits for meter data before it is final."""
    level_shares: tuple[float, float, float, float] = (0.0, 0.33, 0.66, 1.0)
    """Part of the nominated reduction asked for at SIMPLE levels 0-3."""
    observe_after: timedelta = timedelta(hours=1)
    """How long after the event the rebound is watched before the report is made."""
    emergency: bool = False
    """It calls when the supply is at risk: its events go before those of other programs."""
    precedence: int = 100
    """Of two programs alike, the lower number is served first."""
    device_classes: tuple[DeviceClass, ...] = ()
    """Whose load its events are about where they do not say; none: whatever a site has."""
    accept_events: bool = True
    """The standing opt rule: False answers every event with optOut."""

    def sells(self, product: str) -> bool:
        """Whether a rule for this product (empty: for all) concerns us."""
        return not product or not self.product or product == self.product

    @property
    def method(self) -> BaselineMethod:
        """The numbers of its baseline, with what its first X-of-Y rule says of them."""
        rules = (rule for rule in self.rules.baselines if rule.kind is BaselineKind.X_OF_Y)
        rule = next(rules, None)
        if rule is None or not self.baseline.reads_days:
            return self.baseline
        return rule.over(self.baseline)

    @property
    def export(self) -> ExportRule:
        """What becomes of power fed in, by the first meter it names; counted without one."""
        return self.rules.meter[0].export if self.rules.meter else ExportRule.COUNTED

    @property
    def firm(self) -> bool:
        """Whether capacity is promised: it is paid for, or its lack costs a penalty."""
        return bool(self.rules.capacity_pay or self.rules.penalties)

    def holds_at(self, at: datetime) -> bool:
        """Whether this version has begun at an instant."""
        return self.valid_from is None or self.valid_from <= local_day(at, self.zone)


def version_at(versions: Iterable[Program], at: datetime) -> Program | None:
    """The version in force at an instant: the newest of those that have begun, if any has."""
    begun = [one for one in versions if one.holds_at(at)]
    return max(begun, key=_age, default=None)


def newest(versions: Iterable[Program]) -> Program | None:
    """The version that begins last."""
    return max(versions, key=_age, default=None)


def _age(program: Program) -> date:
    return program.valid_from or date.min
