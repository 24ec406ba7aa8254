"""Resources to text. Every failure is a `ValueError` that names the way to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any

from contracts.errors import ProtocolError
from contracts.sep2.dialect import Dialect
from contracts.sep2.fields import Compound, XmlField
from contracts.sep2.kinds import Kind
from contracts.sep2.modes import CSIPAUS_MODES, RAMP, STANDARD_MODES
from contracts.sep2.resources import DERControlBase, Resource, ResourceList, Response
from contracts.sep2.xml.document import parse
from contracts.sep2.xml.plan import PlannedField, once_per_class, planned_fields


class Output(list[str]):
    """Pieces of the document so far, and what its root must declare."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        self.prefixes: set[str] = set()
        self._dialect = dialect

    def claim_csipaus(self, name: str) -> None:
        """Announce the CSIP-AUS element `name`.

        Raises:
            ValueError: the dialect does not have it.
        """
        self._dialect.check(name)
        self.prefixes.add("csipaus")


Write = Callable[[Any, Output], object]
"""Append a value's element."""
Step = tuple[Write, bool, str]
"""How to append a child, whether the schema demands it, and its name."""


@once_per_class
def writer(cls: type[Any], name: str, xsi_type: str = "") -> Write:
    """How to append a `cls` as an element of this name."""
    if cls is DERControlBase:
        return _write_control_base
    start = f'<{name} xsi:type="{xsi_type}"' if xsi_type else f"<{name}"
    end = f"</{name}>"
    attributes = _attributes(cls)
    children = [field for field in planned_fields(cls) if not field.xml.attribute]
    steps = [(_emit(field.xml), field.xml.required, field.xml.name) for field in children]
    values_of = _getter([field.name for field in children])
    extensible = "extension" in cls.__dataclass_fields__

    def append(value: Any, out: Output) -> None:  # noqa: ANN401 - a cls
        head = start + attributes(value)
        out.append(head + ">")
        opened = len(out)
        _append_children(steps, values_of(value), out)
        if extensible:
            _append_raw(value.extension, out)
        if len(out) == opened:
            out[-1] = head + "/>"
        else:
            out.append(end)

    return append


def _append_children(steps: list[Step], values: tuple[Any, ...], out: Output) -> None:
    for (emit, required, name), value in zip(steps, values, strict=True):
        if value is None or value == ():
            if required:
                raise ValueError(f"{name}: missing")
            continue
        try:
            emit(value, out)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    match names:
        case []:
            return lambda value: ()
        case [name]:
            return lambda value: (getattr(value, name),)
        case _:
            return attrgetter(*names)


def _attributes(cls: type[Any]) -> Callable[[Any], str]:
    planned = [field for field in planned_fields(cls) if field.xml.attribute]
    counted = issubclass(cls, ResourceList)

    def text(value: Any) -> str:  # noqa: ANN401 - a cls
        written = ""
        for field in planned:
            given = getattr(value, field.name)
            if given is None and counted and field.name in ("all", "results"):
                given = len(value.items)
            if given != field.default:
                written += _attribute(field, given)
        return written

    return text


def _attribute(field: PlannedField, value: Any) -> str:  # noqa: ANN401 - of the field's kind
    assert isinstance(field.xml.kind, Kind)  # noqa: S101 - `attribute` takes no other
    try:
        return f' {field.xml.name}="{field.xml.kind.format(value)}"'
    except ValueError as error:
        raise ValueError(f"@{field.xml.name}: {error}") from None


def _emit(field: XmlField) -> Write:
    one = _emit_one(field)
    if not field.many:
        return one

    def append(values: Any, out: Output) -> None:  # noqa: ANN401 - a tuple of the field's kind
        for value in values:
            one(value, out)

    return append


def _emit_one(field: XmlField) -> Write:
    if not field.csipaus:
        return _emit_kind(field.kind, field.name)
    emit = _emit_kind(field.kind, f"csipaus:{field.name}")

    def append(value: Any, out: Output) -> None:  # noqa: ANN401 - of the field's kind
        out.claim_csipaus(field.name)
        emit(value, out)

    return append


def _emit_kind(kind: Kind | Compound | type[Any], name: str) -> Write:
    if isinstance(kind, Kind):
        form, start, end = kind.format, f"<{name}>", f"</{name}>"
        return lambda value, out: out.append(f"{start}{form(value)}{end}")
    if isinstance(kind, Compound):
        return _bounded(kind, writer(kind.type, name))
    return _substitutable(kind, name) if kind in (Resource, Response) else writer(kind, name)


def _bounded(kind: Compound, emit: Write) -> Write:
    def append(value: Any, out: Output) -> None:  # noqa: ANN401 - a Scaled
        if not kind.low <= value.value <= kind.high:
            raise ValueError(f"value {value.value} is outside {kind.low} to {kind.high}")
        emit(value, out)

    return append


def _substitutable(declared: type[Any], name: str) -> Write:
    def append(value: Any, out: Output) -> None:  # noqa: ANN401 - a subclass of `declared`
        cls = type(value)
        if cls is declared:
            writer(cls, name)(value, out)
        else:
            out.prefixes.add("xsi")
            writer(cls, name, cls.__name__)(value, out)

    return append


def _append_raw(extension: tuple[bytes, ...], out: Output) -> None:
    for data in extension:
        try:
            parse(data)
        except ProtocolError as error:
            raise ValueError(f"extension: {error}") from None
        out.append(data.decode())


_BASE_FIELDS = (*STANDARD_MODES.values(), RAMP, *CSIPAUS_MODES.values())


@cache
def _base_steps() -> dict[str, tuple[int, Write]]:
    """Rank in the schema and how to append, by element name."""
    return {
        field.name: (rank, _typed(field, _emit_one(field)))
        for rank, field in enumerate(_BASE_FIELDS)
    }


def _typed(field: XmlField, emit: Write) -> Write:
    """Values of modes are of many types, so a wrong one is a likely slip."""
    kind = field.kind
    if isinstance(kind, Kind):
        return emit
    expected = kind.type if isinstance(kind, Compound) else kind

    def append(value: Any, out: Output) -> None:  # noqa: ANN401 - checked here
        if not isinstance(value, expected):
            raise ValueError(f"{value!r} is not a {expected.__name__}")  # noqa: TRY004 - as documented
        emit(value, out)

    return append


def _write_control_base(base: DERControlBase, out: Output) -> None:
    steps = _base_steps()
    values: dict[str, Any] = {**base.modes}
    if base.ramp_tms is not None:
        values[RAMP.name] = base.ramp_tms
    if unknown := values.keys() - steps.keys():
        raise ValueError(f"unknown mode {min(unknown)!r}")
    out.append("<DERControlBase>")
    for name in sorted(values, key=lambda name: steps[name][0]):
        try:
            steps[name][1](values[name], out)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    _append_raw(base.extension, out)
    out.append("</DERControlBase>")
