"""What clients write against the schema and servers take all the same."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from contracts.sep2.resources import Scaled

_INT16 = 2**15
AnyT = TypeVar("AnyT")


def tamed(resource: AnyT) -> AnyT:
    """The resource with every quantity beyond Int16 in larger units: 150000 W is 15000 x 10 W."""
    if not is_dataclass(resource) or isinstance(resource, type):
        return resource
    changes = {}
    for one in fields(resource):
        value = getattr(resource, one.name)
        if isinstance(value, Scaled) and not -_INT16 <= value.value < _INT16:
            changes[one.name] = Scaled.of(value.number)
    return replace(resource, **changes) if changes else resource
