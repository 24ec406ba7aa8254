"""From an account to its answer; money is rounded to a hundredth of a cent here alone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal

from gateway.domain.accounts.account import Account
from gateway.domain.accounts.balance import Use
from gateway.domain.accounts.bearing import Parts, total
from gateway.domain.accounts.demand import DemandAudit
from gateway.web.api.account_schemas import (
    AccountOut,
    BillLineOut,
    CarbonOut,
    ChargedOut,
    CostOut,
    CoverageOut,
    CyclesOut,
    DemandOut,
    EvseOut,
    GapOut,
    PeakOut,
    UseOut,
    VehicleOut,
)

_SHOWN = Decimal("0.0001")


def account_out(one: Account) -> AccountOut:
    """The answer."""
    paid, terms = one.bill, one.tariff
    return AccountOut(
        site_id=one.site_id,
        month=str(one.month),
        start=one.window.start,
        end=one.window.end or one.window.start,
        whole=one.whole,
        tariff=None if terms is None else terms.tariff,
        tariff_source=None if terms is None else terms.source,
        currency=None if paid is None else paid.currency,
        amount=None if paid is None else _money(paid.amount),
        lines=[] if paid is None else list(_lines(one)),
        demand=[] if paid is None else [_demand(audit) for audit in paid.audits],
        uses=[_use(one, use) for use in Use],
        sources_wh=dict(one.sources_wh),
        sessions=list(_sessions(one)),
        vehicles=list(_vehicles(one)),
        nobodys=None if paid is None else _cost(paid.nobodys),
        carbon=_carbon(one),
        cycles=None
        if one.cycles is None
        else CyclesOut(
            equivalent_full=one.cycles.equivalent_full, by_depth=dict(one.cycles.by_depth)
        ),
        evses=[
            EvseOut(
                evse_id=evse.evse_id,
                sessions=evse.sessions,
                energy_wh=evse.energy_wh,
                plugged_share=evse.plugged_share,
                charging_share=evse.charging_share,
                idle_share=evse.idle_share,
            )
            for evse in one.evses
        ],
        coverage=list(_coverage(one)),
        remarks=list(one.remarks),
    )


def _lines(one: Account) -> Iterator[BillLineOut]:
    for line in () if one.bill is None else one.bill.lines:
        yield BillLineOut(
            component=line.component,
            name=line.name,
            quantity=line.quantity.quantize(Decimal("0.001"), ROUND_HALF_EVEN),
            unit=line.unit,
            amount=_money(line.amount),
            source=line.source,
            version=line.version,
            as_of=line.as_of,
        )


def _demand(audit: DemandAudit) -> DemandOut:
    return DemandOut(
        name=audit.name,
        per_kw=audit.per_kw,
        amount=_money(audit.amount),
        sure=audit.sure,
        unmeasured=audit.unmeasured,
        peaks=[
            PeakOut(
                start=peak.interval.start,
                end=peak.interval.end or peak.interval.start,
                mean_w=peak.mean_w,
                coverage=peak.coverage,
            )
            for peak in audit.peaks
        ],
    )


def _use(one: Account, use: Use) -> UseOut:
    return UseOut(
        use=use,
        energy_wh=one.energy_wh[use],
        by_source=dict(one.origin_wh[use]),
        cost=None if one.bill is None else _cost(one.bill.uses[use]),
        carbon_kg=None if one.carbon is None else one.carbon.by_use[use],
    )


def _sessions(one: Account) -> Iterator[ChargedOut]:
    for i, charged in enumerate(one.sessions):
        told = charged.session
        yield ChargedOut(
            session_id=told.session_id,
            evse_id=told.evse_id,
            vehicle_id=told.vehicle_id,
            started_at=told.started_at,
            ended_at=told.ended_at,
            energy_wh=float(charged.wh.sum()),
            register_wh=told.register_wh,
            register_quality=told.quality,
            coverage=charged.coverage,
            by_source=dict(one.session_origin_wh[i]),
            cost=None if one.bill is None else _cost(one.bill.sessions[i]),
            carbon_kg=None if one.carbon is None else one.carbon.sessions[i],
        )


def _vehicles(one: Account) -> Iterator[VehicleOut]:
    """By vehicle, in order of name."""
    of: dict[str, list[int]] = {}
    for i, charged in enumerate(one.sessions):
        of.setdefault(charged.session.vehicle_id, []).append(i)
    for vehicle_id, mine in sorted(of.items()):
        cost = None if one.bill is None else total([one.bill.sessions[i] for i in mine])
        yield VehicleOut(
            vehicle_id=vehicle_id,
            sessions=len(mine),
            energy_wh=sum(float(one.sessions[i].wh.sum()) for i in mine),
            cost=None if cost is None else _cost(cost),
            carbon_kg=None if one.carbon is None else sum(one.carbon.sessions[i] for i in mine),
        )


def _carbon(one: Account) -> CarbonOut | None:
    found = one.carbon
    if found is None:
        return None
    return CarbonOut(
        source=found.source,
        imported_kg=found.imported_kg,
        mean_g_per_kwh=found.mean_g_per_kwh,
        unknown_wh=found.unknown_wh,
    )


def _coverage(one: Account) -> Iterator[CoverageOut]:
    for part in one.coverage:
        yield CoverageOut(
            point=part.point,
            share=part.share,
            gap_count=part.gap_count,
            gaps=[GapOut(start=gap.start, end=gap.end or gap.start) for gap in part.gaps],
        )


def _cost(parts: Parts) -> CostOut:
    return CostOut(
        energy=_money(parts.energy),
        demand=_money(parts.demand),
        fixed=_money(parts.fixed),
        total=_money(parts.total),
    )


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(_SHOWN, ROUND_HALF_EVEN) + 0  # no negative zero
