"""Domain values as JSON documents and back, checked on the way in."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from contracts.errors import PermanentError
from contracts.site_link.messages import FlexibilityOffer, Instruction, VehicleReadiness
from contracts.site_link.sessions import EndedSession
from gateway.domain.anomaly.finding import Finding
from gateway.domain.delivery.course import Course
from gateway.domain.delivery.standing import Standing
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.event import GridEvent
from gateway.domain.nomination.nomination import Nomination
from gateway.domain.operating_envelope import OperatingEnvelope
from gateway.domain.price.timeline import PriceTimeline
from gateway.domain.settle.account import PeriodStatement
from gateway.domain.settle.determinant import Determinant

Value = TypeVar("Value")


class Codec(Generic[Value]):
    """JSON-ready data for one kind of value."""

    def __init__(self, kind: type[Value]) -> None:
        self._kind = kind
        self._adapter = TypeAdapter(kind)

    def dump(self, value: Value) -> dict[str, Any]:
        """The value as JSON-ready data."""
        return cast("dict[str, Any]", self._adapter.dump_python(value, mode="json"))

    def load(self, document: object) -> Value:
        """The value, equal to the one dumped.

        Raises:
            PermanentError: the document is not one of these; the database was changed by hand or
                by another version.
        """
        try:
            return self._adapter.validate_python(document)
        except ValidationError as error:
            raise PermanentError(f"stored {self._kind.__name__} unreadable: {error}") from error


class _Plans(Codec[DispatchPlan]):
    """Also those of before events about exports: they name a step's limit after imports."""

    def load(self, document: object) -> DispatchPlan:
        """The plan, equal to the one dumped; see `Codec.load`."""
        return super().load(_limits_renamed(document))


def _limits_renamed(document: object) -> object:
    match document:
        case {"allocations": list(found), **rest} if any(_of_old(one) for one in found):
            return {**rest, "allocations": [_renamed(one) for one in found]}
        case _:
            return document


def _of_old(allocation: object) -> bool:
    match allocation:
        case {"steps": [{"import_limit_w": _}, *_]}:
            return True
        case _:
            return False


def _renamed(part: object) -> object:
    """An allocation or a step; what is neither is left for the check that follows."""
    match part:
        case {"steps": list(steps), **rest}:
            return {**rest, "steps": [_renamed(step) for step in steps]}
        case {"import_limit_w": limit_w, **rest}:
            return {**rest, "limit_w": limit_w}
        case _:
            return part


EVENT = Codec(GridEvent)
ENVELOPE = Codec(OperatingEnvelope)
PLAN = _Plans(DispatchPlan)
INSTRUCTION = Codec(Instruction)
READINESS = Codec(VehicleReadiness)
OFFER = Codec(FlexibilityOffer)
PRICES = Codec(PriceTimeline)
COURSE = Codec(Course)
STANDING = Codec(Standing)
NOMINATION = Codec(Nomination)
ENDED_SESSION = Codec(EndedSession)
FINDING = Codec(Finding)
STATEMENT = Codec(PeriodStatement)
DETERMINANT = Codec(Determinant)
