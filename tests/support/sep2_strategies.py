"""Any IEEE 2030.5 resource that a dialect can carry, for hypothesis."""

from __future__ import annotations

from dataclasses import MISSING
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from contracts.sep2 import kinds
from contracts.sep2.dialect import Dialect
from contracts.sep2.fields import Compound, XmlField
from contracts.sep2.modes import CSIPAUS_MODES, STANDARD_MODES
from contracts.sep2.resources import (
    DERControlBase,
    DERControlResponse,
    DrResponse,
    EndDevice,
    Resource,
    ResourceList,
    Response,
    Scaled,
    Time,
)
from contracts.sep2.xml.plan import PlannedField, planned_fields

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.integers(-(2**32), 2**37).map(lambda seconds: EPOCH + timedelta(seconds=seconds))


def spans(low: int, high: int, per_second: int = 1) -> st.SearchStrategy[timedelta]:
    return st.integers(low, high).map(lambda n: n * timedelta(seconds=1) / per_second)


def hexes(octets: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=1, max_size=octets).flatmap(
        lambda data: st.sampled_from([data.hex(), data.hex().upper()])
    )


def texts(limit: int) -> st.SearchStrategy[str]:
    alphabet = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"))
    return st.text(alphabet | st.sampled_from("<>&\"'\t\n\r"), max_size=limit)


SIMPLE: dict[kinds.Kind, st.SearchStrategy[Any]] = {
    kinds.INT8: st.integers(-128, 127),
    kinds.INT16: st.integers(-(2**15), 2**15 - 1),
    kinds.INT32: st.integers(-(2**31), 2**31 - 1),
    kinds.INT48: st.integers(-(2**47), 2**47),
    kinds.UINT8: st.integers(0, 2**8 - 1),
    kinds.UINT16: st.integers(0, 2**16 - 1),
    kinds.UINT32: st.integers(0, 2**32 - 1),
    kinds.UINT40: st.integers(0, 2**40 - 1),
    kinds.UINT48: st.integers(0, 2**48 - 1),
    kinds.PERCENT: st.integers(0, 10_000),
    kinds.SIGNED_PERCENT: st.integers(-10_000, 10_000),
    kinds.BITS8: st.integers(0, 2**8 - 1),
    kinds.BITS16: st.integers(0, 2**16 - 1),
    kinds.BITS32: st.integers(0, 2**32 - 1),
    kinds.MRID: hexes(16),
    kinds.LFDI: hexes(20),
    kinds.URI: st.from_regex(
        r"(https://[a-z]{1,9}\.example)?(/[a-z0-9:]{1,9}){1,4}", fullmatch=True
    ),
    kinds.STRING6: texts(6),
    kinds.STRING16: texts(16),
    kinds.STRING20: texts(20),
    kinds.STRING32: texts(32),
    kinds.STRING192: texts(192),
    kinds.BOOLEAN: st.booleans(),
    kinds.TIME: TIMES,
    kinds.SECONDS: spans(0, 2**32 - 1),
    kinds.SECONDS16: spans(0, 2**16 - 1),
    kinds.OFFSET: spans(-(2**31), 2**31 - 1),
    kinds.ONE_HOUR_RANGE: spans(-3600, 3600),
    kinds.CENTISECONDS: spans(0, 2**32 - 1, 100),
    kinds.CENTISECONDS16: spans(0, 2**16 - 1, 100),
}


def resources(
    cls: type[Any], dialect: Dialect, *, complete: bool = False
) -> st.SearchStrategy[Any]:
    """Any `cls` that the schema of the dialect allows; with every element if `complete`."""
    return _Resources(dialect, complete).of(cls)


class _Resources:
    def __init__(self, dialect: Dialect, complete: bool) -> None:
        self._dialect = dialect
        self._complete = complete

    def of(self, cls: type[Any]) -> st.SearchStrategy[Any]:
        if cls is DERControlBase:
            return self._control_bases()
        if cls is Resource:
            return self._built(EndDevice) | self._built(Time)
        if cls is Response:
            return self._built(Response) | self._built(DERControlResponse) | self._built(DrResponse)
        return self._built(cls)

    def _built(self, cls: type[Any]) -> st.SearchStrategy[Any]:
        planned = [field for field in planned_fields(cls) if self._allows(cls, field)]
        return st.builds(cls, **{field.name: self._values(field) for field in planned})

    def _allows(self, cls: type[Any], field: PlannedField) -> bool:
        """Not what no schema has, or only those of some classes: a sender must know."""
        if field.name in ("subscribable", "message"):
            return False
        if field.name == "poll_rate" and issubclass(cls, ResourceList):
            return False
        return self._speaks(field.xml)

    def _speaks(self, field: XmlField) -> bool:
        try:
            if field.csipaus:
                self._dialect.check(field.name)
        except ValueError:
            return False
        return True

    def _values(self, field: PlannedField) -> st.SearchStrategy[Any]:
        value = self._of_kind(field.xml)
        needed = field.xml.required or field.default is MISSING or self._complete
        if field.xml.many:
            return st.lists(value, min_size=1 if needed else 0, max_size=2).map(tuple)
        # CSIP-AUS demands doeModesSupported, where it is spoken at all.
        demanded = needed or field.default is not None or field.name == "doe_modes_supported"
        return value if demanded else st.none() | value

    def _of_kind(self, field: XmlField) -> st.SearchStrategy[Any]:
        kind = field.kind
        if isinstance(kind, kinds.Kind):
            return SIMPLE[kind]
        if isinstance(kind, Compound):
            value = st.integers(kind.low, kind.high)
            return st.builds(Scaled, value=value, multiplier=SIMPLE[kinds.INT8])
        return self.of(kind)

    def _control_bases(self) -> st.SearchStrategy[Any]:
        modes = [*STANDARD_MODES.values(), *CSIPAUS_MODES.values()]
        each = {field.name: self._of_kind(field) for field in modes if self._speaks(field)}
        sets = st.fixed_dictionaries(each) if self._complete else _some(each)
        ramp_tms = SIMPLE[kinds.CENTISECONDS16]
        return st.builds(DERControlBase, modes=sets, ramp_tms=ramp_tms)


def _some(each: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=each)
