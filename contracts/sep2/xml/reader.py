"""Elements to resources. Every failure is a `ValueError` that names the way to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from contracts.hostile_xml import Element
from contracts.sep2.dialect import CSIPAUS_NAMESPACES
from contracts.sep2.fields import Compound, XmlField
from contracts.sep2.kinds import MRID, Kind
from contracts.sep2.modes import CSIPAUS_MODES, RAMP, STANDARD_MODES
from contracts.sep2.resources import (
    DERControlBase,
    RejectedItem,
    Resource,
    ResourceList,
    Response,
)
from contracts.sep2.xml.document import NAMESPACE, local_name, raw
from contracts.sep2.xml.plan import DOCUMENTS, once_per_class, planned_fields, required_names

MAX_CHILDREN = 10_000
"""Of one element: items of a list, readings of a set."""
MAX_UNKNOWN = 16
"""Unknown elements that are kept of one resource."""

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_MRID_TAG = f"{{{NAMESPACE}}}mRID"

Read = Callable[[Element], Any]
Step = tuple[str, Callable[[str], Any] | None, Read, bool]
"""Name of the field, how to read its text or else its element, and whether it repeats."""
Steps = dict[Any, Step]
"""By qualified name."""


def tags(field: XmlField) -> tuple[str, ...]:
    """The qualified names an element is known by."""
    namespaces = CSIPAUS_NAMESPACES if field.csipaus else (NAMESPACE,)
    return tuple(f"{{{namespace}}}{field.name}" for namespace in namespaces)


@once_per_class
def reader(cls: type[Any]) -> Read:
    """How to read an element as a `cls`, or as what its `xsi:type` says."""
    if cls is DERControlBase:
        return _read_control_base
    own = _class_reader(cls)
    if cls not in (Resource, Response):
        return own

    def read(element: Element) -> Any:  # noqa: ANN401 - a subclass of cls
        named = (element.get(_XSI_TYPE) or "").rpartition(":")[2]
        actual = DOCUMENTS.get(named, cls)
        return _class_reader(actual)(element) if issubclass(actual, cls) else own(element)

    return read


def _step(name: str, field: XmlField) -> Step:
    kind = field.kind
    if isinstance(kind, Kind):
        return (name, kind.parse, _no_read, field.many)
    return (name, None, reader(kind.type if isinstance(kind, Compound) else kind), field.many)


def _no_read(element: Element) -> Any:  # noqa: ANN401 - never comes back
    raise AssertionError(f"{element.tag} is a text, read by its kind")


def _steps(cls: type[Any]) -> Steps:
    return {
        tag: _step(field.name, field.xml)
        for field in planned_fields(cls)
        if not field.xml.attribute
        for tag in tags(field.xml)
    }


@once_per_class
def _class_reader(cls: type[Any]) -> Read:
    steps = _steps(cls)
    attributes = [
        (field.xml.name, field.name, field.xml.kind.parse)
        for field in planned_fields(cls)
        if field.xml.attribute and isinstance(field.xml.kind, Kind)
    ]
    required = required_names(cls)
    keeps_unknown = "extension" in cls.__dataclass_fields__
    is_list = issubclass(cls, ResourceList)

    def read(element: Element) -> Any:  # noqa: ANN401 - a cls
        values: dict[str, Any] = {}
        for xml_name, name, parse in attributes:
            text = element.get(xml_name)
            if text is not None:
                values[name] = _parsed(xml_name, parse, text)
        if is_list:
            _read_items(element, steps, values)
        else:
            unknown = _read_children(element, steps, values)
            if unknown and keeps_unknown:
                values["extension"] = _kept(unknown)
        try:
            return cls(**values)
        except TypeError:
            missing = ", ".join(sorted(required - values.keys()))
            raise ValueError(f"without {missing}") from None

    return read


def _parsed(xml_name: str, parse: Callable[[str], Any], text: str) -> Any:  # noqa: ANN401
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"@{xml_name}: {error}") from None


def _read_children(element: Element, steps: Steps, values: dict[str, Any]) -> list[Element]:
    """Fill `values`; return what is not known."""
    _check_size(element)
    unknown = []
    repeated: dict[str, list[Any]] = {}
    child = element
    try:
        for child in element:
            step = steps.get(child.tag)
            if step is None:
                unknown.append(child)
                continue
            name, parse, read, many = step
            if many:
                repeated.setdefault(name, []).append(read(child))
            elif name in values:
                raise ValueError("given twice")  # noqa: TRY301
            else:
                values[name] = read(child) if parse is None else parse(_text(child))
    except ValueError as error:
        raise ValueError(f"{local_name(child)}: {error}") from None
    for name, found in repeated.items():
        values[name] = tuple(found)
    return unknown


def _text(element: Element) -> str:
    if len(element):
        raise ValueError("elements where a value belongs")
    return element.text or ""


def _check_size(element: Element) -> None:
    if len(element) > MAX_CHILDREN:
        raise ValueError(f"{len(element)} children: the limit is {MAX_CHILDREN}")


def _read_items(element: Element, steps: Steps, values: dict[str, Any]) -> None:
    """Fill `items` and `rejected`: one bad item must not hide the others."""
    _check_size(element)
    items, rejected = [], []
    for child in element:
        step = steps.get(child.tag)
        if step is None:
            continue
        try:
            items.append(step[2](child))
        except ValueError as error:
            rejected.append(_rejected(child, f"{local_name(child)}: {error}"))
    values["items"] = tuple(items)
    values["rejected"] = tuple(rejected)


def _rejected(element: Element, reason: str) -> RejectedItem:
    try:
        mrid = MRID.parse(element.findtext(_MRID_TAG) or "")
    except ValueError:
        mrid = None
    return RejectedItem(
        href=element.get("href"), mrid=mrid, reply_to=element.get("replyTo"), reason=reason
    )


def _kept(unknown: list[Element]) -> tuple[bytes, ...]:
    if len(unknown) > MAX_UNKNOWN:
        raise ValueError(f"{len(unknown)} unknown elements: the limit is {MAX_UNKNOWN}")
    return tuple(raw(element) for element in unknown)


@cache
def _control_base_steps() -> Steps:
    modes = {
        tag: _step(name, field)
        for name, field in {**STANDARD_MODES, **CSIPAUS_MODES}.items()
        for tag in tags(field)
    }
    return {**modes, f"{{{NAMESPACE}}}rampTms": _step("ramp_tms", RAMP)}


def _read_control_base(element: Element) -> DERControlBase:
    modes: dict[str, Any] = {}
    unknown = _read_children(element, _control_base_steps(), modes)
    ramp_tms = modes.pop("ramp_tms", None)
    extension = _kept(unknown) if unknown else ()
    return DERControlBase(modes=modes, ramp_tms=ramp_tms, extension=extension)
