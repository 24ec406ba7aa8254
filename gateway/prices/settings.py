"""Settings of price sources, and of what a site pays."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AnyHttpUrl, BeforeValidator, Field, PlainSerializer, model_validator

from contracts.config import Settings
from contracts.site_link.subjects import checked_site_id
from gateway.domain.price.markup import Markup
from gateway.domain.price.timeline import Quality


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError) as error:
        raise ValueError(f"unknown time zone {value!r}: use an IANA name") from error


Zone = Annotated[ZoneInfo, BeforeValidator(_zone), PlainSerializer(str)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
SourceId = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
Name = Annotated[str, Field(min_length=1, max_length=120)]
_BRUSSELS, _PACIFIC = ZoneInfo("Europe/Brussels"), ZoneInfo("America/Los_Angeles")


class EntsoeSettings(Settings):
    """Day-ahead prices of a European bidding zone, from the ENTSO-E Transparency Platform."""

    kind: Literal["entsoe"]
    source_id: SourceId
    """Unique among the sources."""
    area: Annotated[str, Field(pattern="^[0-9]{2}[A-Z][0-9A-Z-]{13}$")]
    """EIC code of the bidding zone, such as `10YNL----------L`."""
    token_file: Path
    """File with the security token of your account; it is in no log."""
    url: AnyHttpUrl = AnyHttpUrl("https://web-api.tp.entsoe.eu/api")
    sequence: Annotated[int, Field(ge=1, le=9)] = 1
    """Which auction, where a zone has several (Germany: 1 the coupled one, 2 that of EXAA)."""
    time_zone: Zone = _BRUSSELS
    """In which the market's days begin."""
    published_at: time = time(12, 45)
    """On that wall clock, from when on the next day's prices are looked for."""


class OasisSettings(Settings):
    """Day-ahead locational marginal prices of one node of CAISO, from OASIS."""

    kind: Literal["oasis"]
    source_id: SourceId
    """Unique among the sources."""
    node: Annotated[str, Field(pattern="^[A-Za-z0-9_.-]{1,80}$")]
    """Such as `TH_NP15_GEN-APND`."""
    url: AnyHttpUrl = AnyHttpUrl("https://oasis.caiso.com/oasisapi/SingleZip")
    time_zone: Zone = _PACIFIC
    """In which the market's days begin."""
    published_at: time = time(13, 0)
    """On that wall clock, from when on the next day's prices are looked for."""


class CsvSettings(Settings):
    """Prices of a CSV file with the columns `start,end,price`, read again when it changes."""

    kind: Literal["csv"]
    source_id: SourceId
    """Unique among the sources."""
    file: Path
    area: Name
    """What the prices are for, in words for people."""
    currency: Currency
    unit: Literal["kWh", "MWh"] = "kWh"
    """The prices are per this."""
    quality: Literal["published", "forecast"] = "published"
    time_zone: Zone
    """In which its days begin; times in the file carry an offset of their own."""

    @property
    def firm(self) -> Quality:
        """The quality in the domain's words."""
        return Quality(self.quality)


class TariffSettings(Settings):
    """The energy prices of a tariff file, such as a site's own; meant as the last of a list."""

    kind: Literal["tariff"]
    source_id: SourceId
    """Unique among the sources."""
    file: Path


class EventSettings(Settings):
    """The price events of an OpenADR or IEEE 2030.5 utility."""

    kind: Literal["events"]
    source_id: SourceId
    """Unique among the sources."""
    utility_id: Name
    program_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Those of one program (OpenADR: market context; 2030.5: rate code); none: of all."""
    target: Name | None = None
    """Beside those that address everybody, those that address this site or group."""
    currency: Currency
    """OpenADR and IEEE 2030.5 events do not tell it to the sites; say which it is."""
    time_zone: Zone
    """In which its days begin."""


SourceSettings = Annotated[
    EntsoeSettings | OasisSettings | CsvSettings | TariffSettings | EventSettings,
    Field(discriminator="kind"),
]
_Amount = Annotated[Decimal, Field(ge=-100, le=100, max_digits=12)]


class FollowSettings(Settings):
    """Which prices some sites follow, and what they pay on top."""

    sites: Annotated[tuple[str, ...], Field(min_length=1)]
    sources: Annotated[tuple[SourceId, ...], Field(min_length=1, max_length=8)]
    """The first that names a price at an instant holds; where none does, the site's own tariff."""
    adder_per_kwh: _Amount = Decimal(0)
    """Grid fees, levies and margin, added to every price."""
    tax_pct: Annotated[Decimal, Field(ge=0, le=100, max_digits=6)] = Decimal(0)
    """On the sum of both."""

    def markup(self) -> Markup:
        """In the domain's words."""
        return Markup(adder_per_kwh=self.adder_per_kwh, tax_pct=self.tax_pct)


class PriceSettings(Settings):
    """Prices: where they come from, and which sites follow which."""

    sources: tuple[SourceSettings, ...] = ()
    follow: tuple[FollowSettings, ...] = ()
    poll: Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(hours=1))] = timedelta(
        minutes=5
    )
    """How often a source is asked that owes us prices, or whose prices may change at any time."""

    @property
    def names(self) -> frozenset[str]:
        """Ids of all sources."""
        return frozenset(one.source_id for one in self.sources)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known = [one.source_id for one in self.sources]
        if len(set(known)) < len(known):
            raise ValueError("prices: source_id must be unique")
        unknown = {name for one in self.follow for name in one.sources} - set(known)
        if unknown:
            raise ValueError(f"prices: no such sources: {sorted(unknown)}")
        followers = [site for one in self.follow for site in one.sites]
        if len(set(followers)) < len(followers):
            raise ValueError("prices: a site follows once; list its sources in order")
        for site in followers:
            checked_site_id(site)
        return self
