"""What a resource class says about its XML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any, Concatenate, ParamSpec, TypeVar, get_type_hints

from contracts.sep2 import resources
from contracts.sep2.fields import XmlField
from contracts.sep2.resources import (
    ConnectionPoint,
    Error,
    Event,
    IdentifiedObject,
    RandomizableEvent,
    Resource,
    ResourceList,
    SubscribableResource,
)

_ABSTRACT = (
    Resource,
    SubscribableResource,
    ResourceList,
    IdentifiedObject,
    Event,
    RandomizableEvent,
)


P = ParamSpec("P")
T = TypeVar("T")


def once_per_class(
    build: Callable[Concatenate[type[Any], P], T],
) -> Callable[Concatenate[type[Any], P], T]:
    """Make a plan the first time it is asked for."""
    plans: dict[Any, T] = {}

    def get(cls: type[Any], /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (cls, *args)
        if key not in plans:
            plans[key] = build(cls, *args, **kwargs)
        return plans[key]

    return get


@dataclass(frozen=True, slots=True)
class PlannedField:
    """A dataclass field with its place in XML."""

    name: str
    xml: XmlField
    default: Any
    """`MISSING` when the field must be there."""


@once_per_class
def planned_fields(cls: type[Any]) -> tuple[PlannedField, ...]:
    """The fields of a class that stand in XML, base classes first: the order of the schema."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(
        PlannedField(field.name, xml, _default(field))
        for field in fields(cls)
        for xml in getattr(hints[field.name], "__metadata__", ())
        if isinstance(xml, XmlField)
    )


def _default(field: Any) -> Any:  # noqa: ANN401 - dataclasses.Field of any type
    return field.default if field.default_factory is MISSING else field.default_factory()


def required_names(cls: type[Any]) -> frozenset[str]:
    """Fields that a document must have."""
    return frozenset(f.name for f in planned_fields(cls) if f.default is MISSING)


def _documents() -> Iterator[tuple[str, type[Any]]]:
    for name in resources.__all__:
        found = getattr(resources, name)
        resource = isinstance(found, type) and issubclass(found, (Resource, Error))
        if resource and found not in _ABSTRACT:
            yield name, found


DOCUMENTS: dict[str, type[Any]] = dict(_documents())
"""Resources that can be a document or a substitute (`xsi:type`), by element name."""


def xml_name(cls: type[Any]) -> str:
    """The name of a resource's element, with prefix."""
    return "csipaus:ConnectionPoint" if cls is ConnectionPoint else cls.__name__
