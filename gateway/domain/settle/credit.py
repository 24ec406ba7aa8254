"""What other programs are credited first of an event's energy, site by site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from contracts.time import Interval
from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.rows import kwh
from gateway.domain.program import Program
from gateway.domain.settle.claims import Claim, credited
from gateway.domain.settle.energy import Paid, counted_energy, energy_pay
from gateway.domain.settle.event_account import EventAccount, site_shares

NOBODY = ""
"""Energy that is counted and that no site delivered: an estimate, or a loss that is netted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """One program's event, as it stands for itself."""

    program: Program
    event_key: str
    account: EventAccount
    version: int = 0
    """Of the report it is from."""

    def by_site(self) -> Mapping[str, tuple[Paid, ...]]:
        """What it would be paid for by itself, by the site that delivered it."""
        pay = energy_pay(self.program.rules.energy_pay, self.account.basis)
        if pay is None:
            return {}
        index = {step.interval: n for n, step in enumerate(self.account.steps)}
        found: dict[str, list[Paid]] = {}
        for one in counted_energy(self.program, pay, self.account.rows(self.program)):
            for site, energy in _parts(self.account, index[one.interval], one):
                found.setdefault(site, []).append(
                    Paid(interval=one.interval, kilowatt_seconds=energy)
                )
        return {site: tuple(every) for site, every in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What an event is paid for, once others had theirs."""

    paid: tuple[Paid, ...]
    by_site_kwh: Mapping[str, Decimal]
    first_kwh: Mapping[str, Decimal]
    """By the name of a program that is credited first, what it takes of this event's energy."""

    @property
    def words(self) -> tuple[str, ...]:
        """In words, for the line."""
        return tuple(
            f"{kwh_:.9f}".rstrip("0").rstrip(".") + f" kWh are credited to {name} first"
            for name, kwh_ in sorted(self.first_kwh.items())
            if kwh_
        )


def credit(mine: Claimed, others: Sequence[Claimed]) -> Credit:
    """What is left of an event's energy to be paid, where other programs claim the same.

    Each site by itself: a kWh of one site is in nobody's way at another. What all sites are paid
    is never more than the event counts by itself.
    """
    own = mine.by_site()
    rivals = [(one, one.by_site()) for one in others if one.program.program_id != _id(mine)]
    paid: list[Paid] = []
    by_site: dict[str, Decimal] = {}
    first: dict[str, Decimal] = {}
    for site, pieces in own.items():
        claims = list(_claims(mine, site, pieces, rivals))
        left = credited(claims)[_id(mine)] if len(claims) > 1 else pieces
        paid += left
        by_site[site] = kwh(_sum(left))
        taken = kwh(_sum(pieces) - _sum(left))
        if taken:
            names = " and ".join(sorted(one.program.name for one in claims[1:]))
            first[names] = first.get(names, ZERO) + taken
    by_site.pop(NOBODY, None)
    return Credit(paid=_merged(paid), by_site_kwh=by_site, first_kwh=first)


def _claims(
    mine: Claimed,
    site: str,
    pieces: tuple[Paid, ...],
    rivals: Iterable[tuple[Claimed, Mapping[str, tuple[Paid, ...]]]],
) -> Iterator[Claim]:
    """Ours, then one for each other program that counts energy of this site."""
    yield _claim(mine, site, pieces)
    every: dict[str, list[tuple[Claimed, tuple[Paid, ...]]]] = {}
    for one, by_site in rivals:
        if site != NOBODY and by_site.get(site):
            every.setdefault(_id(one), []).append((one, by_site[site]))
    for found in every.values():
        whole = tuple(piece for _, part in found for piece in part)
        exported = {
            when: energy for one, _ in found for when, energy in _exported(one, site).items()
        }
        yield Claim(program=found[0][0].program, paid=whole, exported=exported)


def _claim(one: Claimed, site: str, pieces: tuple[Paid, ...]) -> Claim:
    return Claim(program=one.program, paid=pieces, exported=_exported(one, site))


def _exported(one: Claimed, site: str) -> Mapping[Interval, Decimal]:
    return one.account.exported(site) if site in one.account.sites else {}


def _parts(account: EventAccount, n: int, one: Paid) -> Iterator[tuple[str, Decimal]]:
    shares = site_shares(account, n)
    if not shares or one.kilowatt_seconds <= 0:  # a loss that is netted is no claim on anything
        yield NOBODY, one.kilowatt_seconds
        return
    sites = sorted(shares)
    rest = one.kilowatt_seconds
    for site in sites[1:]:
        part = one.kilowatt_seconds * shares[site]
        rest -= part
        yield site, part
    yield sites[0], rest


def _merged(paid: Iterable[Paid]) -> tuple[Paid, ...]:
    sums: dict[Interval, Decimal] = {}
    for one in paid:
        sums[one.interval] = sums.get(one.interval, ZERO) + one.kilowatt_seconds
    ordered = sorted(sums.items(), key=lambda pair: pair[0].start)
    return tuple(Paid(interval=when, kilowatt_seconds=energy) for when, energy in ordered)


def _sum(paid: Iterable[Paid]) -> Decimal:
    return sum((one.kilowatt_seconds for one in paid), ZERO)


def _id(one: Claimed) -> str:
    return one.program.program_id
