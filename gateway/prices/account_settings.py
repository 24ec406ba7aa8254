"""Settings of energy accounts: which site pays what, and what its grid emits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from contracts.time import Interval
from gateway.domain.price.timeline import PriceTimeline
from gateway.ports.intensity import IntensitySource, TermsSource
from gateway.prices.bill_file import FileTerms
from gateway.prices.intensity import ConstantIntensity, CsvIntensity

SiteMarket = Callable[[str, Interval], Awaitable[Sequence[PriceTimeline] | None]]
Title = Annotated[str, Field(min_length=1, max_length=200)]


class ConstantCarbonSettings(Settings):
    """The same intensity all the time."""

    kind: Literal["constant"]
    g_per_kwh: Annotated[float, Field(ge=0, le=5000, allow_inf_nan=False)]
    """g CO2 equivalent for each kWh from the grid."""
    source: Title
    """Who says so, and for when: it stands in every account."""

    def made(self) -> IntensitySource:
        """The source."""
        return ConstantIntensity(self.g_per_kwh, self.source)


class CsvCarbonSettings(Settings):
    """Intensities of a CSV file with the columns `start,end,g_per_kwh`."""

    kind: Literal["csv"]
    file: Path
    source: Title
    """Who says so: it stands in every account."""

    def made(self) -> IntensitySource:
        """The source.

        Raises:
            ConfigError: the file cannot be read.
        """
        return CsvIntensity(self.file, self.source)


CarbonSettings = Annotated[ConstantCarbonSettings | CsvCarbonSettings, Field(discriminator="kind")]


class SiteAccountSettings(Settings):
    """What some sites pay, and what their grid emits."""

    sites: Annotated[tuple[str, ...], Field(min_length=1)]
    tariff: Path | None = None
    """A tariff file, as site agents read it; none: nothing is priced."""
    carbon: CarbonSettings | None = None
    """None: nothing is said of carbon."""


class AccountSettings(Settings):
    """Energy accounts of sites; a site that is not named has one without money and carbon."""

    of: tuple[SiteAccountSettings, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        named = [site for one in self.of for site in one.sites]
        if len(set(named)) < len(named):
            raise ValueError("accounts: a site is named once")
        return self

    @property
    def sites(self) -> frozenset[str]:
        """Every site that is named."""
        return frozenset(site for one in self.of for site in one.sites)

    def tariffs(self, market: SiteMarket) -> dict[str, TermsSource]:
        """By site; `market`: what a site paid by the prices that it follows.

        Raises:
            ConfigError: a file cannot be read, or makes no sense.
        """
        found: dict[str, TermsSource] = {}
        for one in self.of:
            if one.tariff is not None:
                found |= {site: FileTerms(one.tariff, partial(market, site)) for site in one.sites}
        return found

    def intensities(self) -> dict[str, IntensitySource]:
        """By site.

        Raises:
            ConfigError: a file cannot be read, or makes no sense.
        """
        found: dict[str, IntensitySource] = {}
        for one in self.of:
            if one.carbon is not None:
                found |= dict.fromkeys(one.sites, one.carbon.made())
        return found
