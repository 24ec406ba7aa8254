"""The account of a site's month: everything together, with what was not measured told beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from contracts.site_link.points import PCC_POWER_W
from contracts.time import Interval
from gateway.domain.accounts.balance import Balance, Metered, Source, Use, balance
from gateway.domain.accounts.bill import Bill, bill
from gateway.domain.accounts.carbon import Carbon, Intensity, carbon
from gateway.domain.accounts.charged import Charged, EvseUse, charged, used
from gateway.domain.accounts.cycles import Cycles, cycles
from gateway.domain.accounts.month import Month
from gateway.domain.accounts.session import ChargingSession
from gateway.domain.accounts.terms import Terms
from gateway.domain.words import pct

GAPS_SHOWN = 20
_WHOLE = 0.999
_ENOUGH = 0.95
_LEAST_WH = 100.0
"""Less is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the month one point was known."""

    point: str
    share: float
    """0 to 1."""
    gaps: tuple[Interval, ...]
    """The first `GAPS_SHOWN` stretches of slots that were not known in full."""
    gap_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A month of a site, or of it what has passed."""

    site_id: str
    month: Month
    window: Interval
    """What is accounted for: the whole month, or up to the last whole slot that has passed."""
    whole: bool
    """Whether that is all of the month."""
    energy_wh: Mapping[Use, float]
    origin_wh: Mapping[Use, Mapping[Source, float]]
    """Of each use, by source; sums to `energy_wh`."""
    sources_wh: Mapping[Source, float]
    sessions: tuple[Charged, ...]
    session_origin_wh: tuple[Mapping[Source, float], ...]
    """In the order of the sessions."""
    bill: Bill | None
    """None: no tariff is known."""
    tariff: Terms | None
    carbon: Carbon | None
    """None: no source of intensity is known."""
    cycles: Cycles | None
    """None: the site has told no state of charge."""
    evses: tuple[EvseUse, ...]
    coverage: tuple[Coverage, ...]
    remarks: tuple[str, ...]


def account(
    site_id: str,
    month: Month,
    metered: Metered,
    sessions: Sequence[ChargingSession],
    *,
    whole: bool = True,
    terms: Terms | None = None,
    intensity: Intensity | None = None,
    labels: Sequence[str] = (),
) -> Account:
    """Everything about a month.

    `labels`: of history that was loaded, which a reader must know of.

    Raises:
        ValueError: the tariff's demand interval is no whole number of slots.
    """
    books = balance(metered)
    mine = charged(metered, sessions)
    paid = None if terms is None else bill(terms, metered, mine)
    emitted = None if intensity is None else carbon(intensity, metered, mine)
    known = metered.soc_pct[~np.isnan(metered.soc_pct)]
    found = Account(
        site_id=site_id,
        month=month,
        window=metered.grid.window,
        whole=whole,
        energy_wh={use: float(wh.sum()) for use, wh in books.uses.items()},
        origin_wh={use: books.mix_wh(use) for use in Use},
        sources_wh={source: float(wh.sum()) for source, wh in books.sources.items()},
        sessions=mine,
        session_origin_wh=tuple(_origins(books, mine)),
        bill=paid,
        tariff=terms,
        carbon=emitted,
        cycles=cycles(known.tolist()) if len(known) else None,
        evses=used(metered, sessions),
        coverage=tuple(_coverage(metered, point) for point in sorted(metered.covered_s)),
        remarks=(),
    )
    return replace(found, remarks=tuple(_remarks(found, labels)))


def _remarks(one: Account, labels: Sequence[str]) -> Iterator[str]:
    """What a reader must know beside the figures."""
    yield from (f"part of the history was loaded, not measured: {label}" for label in labels)
    if not one.whole:
        yield "the month is not over: these are its figures so far"
    pcc = next((part for part in one.coverage if part.point == PCC_POWER_W), None)
    if pcc is None:
        yield "the site has told no power at its PCC: import and cost are unknown"
    elif pcc.share < _WHOLE:
        yield f"{pct(1 - pcc.share)} of the time at the PCC is not known and counts as nothing"
    if one.sources_wh[Source.UNMETERED] > _LEAST_WH:
        yield (
            f"{kwh(one.sources_wh[Source.UNMETERED])} more were metered below the PCC than came in:"
            " look at the meters"
        )
    yield from _money_remarks(one)
    short = [part for part in one.sessions if part.coverage < _ENOUGH]
    if short:
        yield (
            f"{len(short)} of {len(one.sessions)} sessions were measured for less than"
            f" {pct(_ENOUGH)} of their time: what was not measured bears no cost"
        )


def _money_remarks(one: Account) -> Iterator[str]:
    if one.tariff is None:
        yield "no tariff is set for this site (accounts.sites in the settings): nothing is priced"
    else:
        yield from one.tariff.remarks
        yield from () if one.bill is None else _bill_remarks(one.bill)
    if one.carbon is None:
        yield "no carbon intensity is set for this site: nothing is said of carbon"
    elif one.carbon.unknown_wh > _LEAST_WH:
        yield f"{kwh(one.carbon.unknown_wh)} were imported while no carbon intensity is known"


def _bill_remarks(one: Bill) -> Iterator[str]:
    if one.unpriced_wh > _LEAST_WH:
        yield f"{kwh(one.unpriced_wh)} were imported while the tariff names no price"
    if one.without_market_wh > _LEAST_WH:
        yield (
            f"{kwh(one.without_market_wh)} were imported while no price of the market is known:"
            " the tariff's own prices are used for them"
        )
    if one.from_before_wh > _LEAST_WH:
        yield (
            f"batteries gave {kwh(one.from_before_wh)} that they held when the month began:"
            " they carry no cost and no carbon here"
        )
    for audit in one.audits:
        if not audit.sure:
            yield (
                f"{audit.name}: {audit.unmeasured} demand intervals were not measured in full,"
                " the utility's meter may have seen a higher one"
            )


def kwh(wh: float) -> str:
    """`12.5 kWh`."""
    return f"{wh / 1000:,.1f} kWh"


def _origins(books: Balance, sessions: Sequence[Charged]) -> Iterator[Mapping[Source, float]]:
    whole = books.total
    shares = {
        source: np.divide(wh, whole, out=np.zeros_like(wh), where=whole > 0)
        for source, wh in books.sources.items()
    }
    for one in sessions:
        yield {source: float((one.wh * share[one.slots]).sum()) for source, share in shares.items()}


def _coverage(metered: Metered, point: str) -> Coverage:
    grid, known_s = metered.grid, metered.covered_s[point]
    short = known_s < _WHOLE * grid.seconds
    edges = np.flatnonzero(np.diff(np.concatenate([[False], short, [False]]).astype(int)))
    gaps = [
        Interval(start=grid.slot(int(first)).start, end=grid.slot(int(end) - 1).end)
        for first, end in edges.reshape(-1, 2)
    ]
    share = float(known_s.sum()) / (grid.seconds * grid.count)
    return Coverage(
        point=point, share=min(1.0, share), gaps=tuple(gaps[:GAPS_SHOWN]), gap_count=len(gaps)
    )
