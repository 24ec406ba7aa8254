"""A page about many sites shows some of them one by one; leaf after leaf has all."""

from __future__ import annotations

from dataclasses import dataclass

SITES_A_LEAF = 25
"""Each with its chart; the files hold all of them."""


@dataclass(frozen=True, slots=True)
class Leaves:
    """Where a reader is."""

    sites: int
    """Of all leaves."""
    leaf: int
    """Which one is shown, from 1."""

    @property
    def count(self) -> int:
        """How many leaves there are, at least one."""
        return max(1, -(-self.sites // SITES_A_LEAF))

    @property
    def part(self) -> slice:
        """Its sites in the order of all of them."""
        return part_of(self.leaf)

    @property
    def words(self) -> str:
        """Such as "Sites 26-50 of 1,000"."""
        first = (self.leaf - 1) * SITES_A_LEAF + 1
        return f"Sites {first:,}-{min(self.leaf * SITES_A_LEAF, self.sites):,} of {self.sites:,}"


def part_of(leaf: int) -> slice:
    """The sites on a leaf, from 1."""
    return slice((leaf - 1) * SITES_A_LEAF, leaf * SITES_A_LEAF)
