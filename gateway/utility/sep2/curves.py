"""Curves behind the links of controls and defaults (IEEE 2030.5-2018, 10.10.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from contracts.sep2.resources import CurveLink, DERControlBase, DERCurve, ModeValue

Setting = ModeValue | DERCurve
"""What a mode is set to, with the curve itself where it was read. A link that is left leads to
nothing that can be read."""
Curves = Mapping[str, DERCurve]
"""By href, as the links of one program have it."""
NO_CURVES: Curves = MappingProxyType({})


def curve_links(bases: Iterable[DERControlBase], modes: frozenset[str]) -> Iterator[str]:
    """Where the curves are that these modes follow, each once."""
    links = (
        value.href
        for base in bases
        for mode, value in base.modes.items()
        if mode in modes and isinstance(value, CurveLink)
    )
    return iter(dict.fromkeys(links))


def followed(value: ModeValue, curves: Curves) -> Setting:
    """The value, a link replaced with its curve."""
    return curves.get(value.href, value) if isinstance(value, CurveLink) else value


def is_curve(value: object) -> bool:
    """Whether the mode follows a curve, read or not."""
    return isinstance(value, CurveLink | DERCurve)
