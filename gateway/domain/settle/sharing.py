"""What of a line is the sites' and what the aggregator's; the parts are the line to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO
from gateway.domain.settle.line import Line, money


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """The contract between aggregator and sites."""

    site_share: Decimal
    """Of what is earned, 0-1, goes to the sites."""
    site_share_of_charges: Decimal = ZERO
    """Of what is owed, 0-1: the aggregator mostly bears penalties (CBP: third party 2025)."""

    def __post_init__(self) -> None:
        if not all(0 <= one <= 1 for one in (self.site_share, self.site_share_of_charges)):
            raise ValueError("site_share: a share lies between 0 and 1")


def shares(
    line: Line, sharing: Sharing, by_site: Mapping[str, Decimal]
) -> tuple[Decimal, dict[str, Decimal]]:
    """As `split`, where every site has the same contract.

    Raises:
        ValueError: the line has no amount.
    """
    return split(line, dict.fromkeys(by_site, sharing), by_site)


def split(
    line: Line,
    contracts: Mapping[str, Sharing],
    by_site: Mapping[str, Decimal],
    *,
    charge: bool | None = None,
) -> tuple[Decimal, dict[str, Decimal]]:
    """The aggregator's part of a line, and each site's by what it delivered and its own contract.

    `charge`: whether the terms for charges hold; None: where the amount is negative. What is given
    back of a charge is shared as the charge was, what is claimed back as it was earned.
    Rounding is the aggregator's: the parts sum to the line. A site that delivered nothing, or less,
    gets nothing; where none delivered all is the aggregator's. A site without a contract is left
    out: what it is due is not known, and stays with the aggregator until it is.

    Raises:
        ValueError: the line has no amount.
    """
    if line.amount is None:
        raise ValueError(f"a line without an amount cannot be shared: {line.problem}")
    amount = line.amount
    is_charge = amount < 0 if charge is None else charge
    weights = {site: max(ZERO, weight) for site, weight in by_site.items()}
    whole = sum(weights.values(), ZERO)

    def part(site: str) -> Decimal:
        contract = contracts[site]
        share = contract.site_share_of_charges if is_charge else contract.site_share
        return money(amount * share * weights[site] / whole, line.currency) if whole else ZERO

    found = {site: part(site) for site in weights if site in contracts}
    return amount - sum(found.values(), ZERO), found
