"""How people of a language and country write numbers and dates; pure, and nothing installed for it.

Separators and the order of dates as the Unicode Common Locale Data Repository (CLDR 45) has them
for these locales; one group of digits is never separated where it has four digits and CLDR's
`minimumGroupingDigits` is 2. Words stay English, whatever the numbers look like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.errors import ConfigError

_THIN = "\N{NARROW NO-BREAK SPACE}"
_SPACE = "\N{NO-BREAK SPACE}"
_APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MOST_RANGES = 20
"""Of an Accept-Language header; the rest is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One way of writing."""

    name: str
    """Language tag such as `de-CH`; empty: ours, which no country has."""
    decimal: str = "."
    group: str = _THIN
    least_grouped: int = 4
    """Digits before the decimal sign from which on they are grouped."""
    date_order: str = "{day} {month} {year}"
    """Of `day`, `month` by name, `dd`, `mm` and `year`."""

    def number(self, plain: str) -> str:
        """A number as Python writes it (`-1234.5`), the way it is written here."""
        sign, digits = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
        whole, _, rest = digits.partition(".")
        if len(whole) >= self.least_grouped:
            whole = f"{int(whole):,}".replace(",", self.group)
        return f"{sign}{whole}{self.decimal}{rest}" if rest else f"{sign}{whole}"

    def day(self, day: date) -> str:
        """A date with its weekday: `Sat 21 Nov 2026`, `Sat 21.11.2026`."""
        parts = {
            "day": day.day,
            "month": _MONTHS[day.month - 1],
            "dd": f"{day.day:02d}",
            "mm": f"{day.month:02d}",
            "year": day.year,
        }
        return f"{_DAYS[day.weekday()]} {self.date_order.format(**parts)}"


NEUTRAL = Style(name="")
_DOTS, _SLASHES, _ISO = "{dd}.{mm}.{year}", "{dd}/{mm}/{year}", "{year}-{mm}-{dd}"


def _style(
    name: str, decimal: str, group: str, date_order: str, least_grouped: int = 4
) -> tuple[str, Style]:
    return name, Style(
        name=name, decimal=decimal, group=group, date_order=date_order, least_grouped=least_grouped
    )


STYLES: Mapping[str, Style] = dict(
    (
        _style("en-US", ".", ",", "{month} {day}, {year}"),
        _style("en-GB", ".", ",", "{day} {month} {year}"),
        _style("en-IE", ".", ",", "{day} {month} {year}"),
        _style("en-AU", ".", ",", "{day} {month} {year}"),
        _style("en-CA", ".", ",", _ISO),
        _style("de-DE", ",", ".", _DOTS),
        _style("de-AT", ",", _SPACE, _DOTS),
        _style("de-CH", ".", _APOSTROPHE, _DOTS),
        _style("fr-FR", ",", _THIN, _SLASHES),
        _style("fr-BE", ",", _THIN, _SLASHES),
        _style("fr-CH", ",", _THIN, _DOTS),
        _style("fr-CA", ",", _SPACE, _ISO),
        _style("nl-NL", ",", ".", "{dd}-{mm}-{year}"),
        _style("nl-BE", ",", ".", _SLASHES),
        _style("it-IT", ",", ".", _SLASHES),
        _style("it-CH", ".", _APOSTROPHE, _DOTS),
        _style("es-ES", ",", ".", _SLASHES, 5),
        _style("es-MX", ".", ",", _SLASHES),
        _style("pt-PT", ",", _SPACE, _SLASHES, 5),
        _style("pt-BR", ",", ".", _SLASHES),
        _style("pl-PL", ",", _SPACE, _DOTS, 5),
        _style("cs-CZ", ",", _SPACE, _DOTS),
        _style("da-DK", ",", ".", _DOTS),
        _style("nb-NO", ",", _SPACE, _DOTS),
        _style("sv-SE", ",", _SPACE, _ISO),
        _style("fi-FI", ",", _SPACE, _DOTS),
        _style("ja-JP", ".", ",", "{year}/{mm}/{dd}"),
    )
)
_BY_LANGUAGE = {name.partition("-")[0]: style for name, style in reversed([*STYLES.items()])}
"""A language alone is its first country above."""


def style_named(tag: str) -> Style:
    """By a language tag such as `de-CH`, or a language alone; an unknown country is its language's.

    Raises:
        ConfigError: the language is not known here.
    """
    found = _known(tag)
    if found is None:
        raise ConfigError(f"no such locale {tag!r}: use one of {', '.join(STYLES)}")
    return found


def preferred(header: str) -> Style:
    """The best of an Accept-Language header (RFC 9110, 12.5.4) that is known; else ours."""
    ranges = []
    for place, part in enumerate(header.split(",")[:_MOST_RANGES]):
        tag, _, parameter = part.partition(";")
        style, weight = _known(tag.strip()), _weight(parameter)
        if style is not None and weight > 0:
            ranges.append((-weight, place, style))
    return min(ranges, key=lambda one: one[:2])[2] if ranges else NEUTRAL


def _known(tag: str) -> Style | None:
    language, _, country = tag.replace("_", "-").partition("-")
    exact = STYLES.get(f"{language.lower()}-{country.upper()}")
    return exact or _BY_LANGUAGE.get(language.lower())


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
