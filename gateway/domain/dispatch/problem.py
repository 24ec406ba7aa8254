"""A request over sites and intervals as arrays.

::

    min   sum_t h_t [ sum_i (c_i x_it + x_it^2 / (2 w_it)) + M s_t ]
    with  sum_i r_i x_it + s_t = D_t      the request, and what nobody can give
          0 <= x_it <= u_it               what each offers
          sum_t h_t x_it <= E_i           and for how long it lasts
          sum a_kit x_it <= b_k           groups of the network, ramps

With w = u and c = 0 everybody gives the same share of its offer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Table = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

SHORTAGE = 100.0
"""Price of what nobody gives; all of an offer costs at most 1.25, and an hour's energy can be moved
over a day's intervals for less than this, so that nothing is left ungiven to be fair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Rows `sum coefficient * x <= most`, as a list of their entries."""

    row: Index
    site: Index
    interval: Index
    coefficient: Vector
    most: Vector
    """[K] One for each row."""

    @classmethod
    def none(cls) -> Bounds:
        """No row at all."""
        nothing = np.zeros(0, dtype=np.intp)
        zero = np.zeros(0)
        return cls(row=nothing, site=nothing, interval=nothing, coefficient=zero, most=zero)

    def __len__(self) -> int:
        return len(self.most)

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(
            row=np.concatenate((self.row, other.row + len(self))),
            site=np.concatenate((self.site, other.site)),
            interval=np.concatenate((self.interval, other.interval)),
            coefficient=np.concatenate((self.coefficient, other.coefficient)),
            most=np.concatenate((self.most, other.most)),
        )

    def excess(self, x: Table) -> Vector:
        """By how much each row is exceeded (negative: what is left), W."""
        given = self.coefficient * x[self.site, self.interval]
        return np.bincount(self.row, weights=given, minlength=len(self)) - self.most

    def only(self, rows: Index) -> Bounds:
        """These rows alone, numbered anew in the order given."""
        number = np.full(len(self), -1, dtype=np.intp)
        number[rows] = np.arange(len(rows))
        kept = number[self.row] >= 0
        return Bounds(
            row=number[self.row[kept]],
            site=self.site[kept],
            interval=self.interval[kept],
            coefficient=self.coefficient[kept],
            most=self.most[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """See the module; [N] sites, [T] intervals, powers in W, energies in Wh, hours in h.

    Raises:
        ValueError: shapes do not fit, or a value is outside its range.
    """

    hours: Vector
    """[T] Length of each interval, > 0."""
    target_w: Vector
    """[T] D >= 0."""
    cap_w: Table
    """[N, T] u >= 0."""
    weight_w: Table
    """[N, T] w >= 0, where cap is positive > 0: how much a site gives at a price of 1."""
    cost: Vector
    """[N] c, 0 <= c < shortage: the price below which a site is not asked."""
    energy_wh: Vector
    """[N] E >= 0; infinity for no limit."""
    delivers: Vector
    """[N] r, 0 < r <= 1: the part of what is asked of it that is expected to come."""
    bounds: Bounds = field(default_factory=Bounds.none)
    shortage: float = SHORTAGE
    """M > 0."""

    def __post_init__(self) -> None:
        self._fits()
        ranges = (
            ("hours", self.hours, self.hours > 0),
            ("target_w", self.target_w, self.target_w >= 0),
            ("cap_w", self.cap_w, self.cap_w >= 0),
            ("weight_w", self.weight_w, self.weight_w >= 0),
            ("cost", self.cost, (self.cost >= 0) & (self.cost < self.shortage)),
            ("delivers", self.delivers, (self.delivers > 0) & (self.delivers <= 1)),
        )
        for name, values, fine in ranges:
            if not (fine & np.isfinite(values)).all():
                raise ValueError(f"{name} has a value out of its range")
        if np.isnan(self.energy_wh).any() or (self.energy_wh < 0).any():
            raise ValueError("energy_wh must be >= 0, infinity for no limit")
        if ((self.cap_w > 0) & (self.weight_w <= 0)).any():
            raise ValueError("a site with an offer needs a weight above 0")

    def _fits(self) -> None:
        sites, intervals = self.cap_w.shape
        wanted = (
            ("hours", self.hours, (intervals,)),
            ("target_w", self.target_w, (intervals,)),
            ("weight_w", self.weight_w, (sites, intervals)),
            ("cost", self.cost, (sites,)),
            ("energy_wh", self.energy_wh, (sites,)),
            ("delivers", self.delivers, (sites,)),
        )
        for name, values, shape in wanted:
            if values.shape != shape:
                raise ValueError(f"{name} is {values.shape}, not {shape}")

    def missing_w(self, x: Table) -> Vector:
        """[T] What is not expected to come, W (negative: more than asked)."""
        return self.target_w - self.delivers @ x

    def objective(self, x: Table) -> float:
        """What a split costs, its shortfall included."""
        curve = np.divide(x, self.weight_w, out=np.zeros_like(x), where=self.weight_w > 0)
        worth = x * (self.cost[:, None] + 0.5 * curve)
        missing = np.maximum(self.missing_w(x), 0.0)
        return float((worth.sum(axis=0) + self.shortage * missing) @ self.hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What is asked of whom."""

    given_w: Table
    """[N, T]"""
    short_w: Vector
    """[T] What is not expected to come, >= 0."""
    price: Vector
    """[T] What the last W costs: the share of its offer that everybody gives who is not bound."""
    gap: float
    """How far the objective may be from the optimum, relative; 0 for what is exact by itself."""
    steps: int = 0
    """Newton steps taken."""
