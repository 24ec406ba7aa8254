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


EVENT = Codec(GridEvent)
ENVELOPE = Codec(OperatingEnvelope)
PLAN = Codec(DispatchPlan)
INSTRUCTION = Codec(Instruction)
READINESS = Codec(VehicleReadiness)
OFFER = Codec(FlexibilityOffer)
PRICES = Codec(PriceTimeline)
COURSE = Codec(Course)
STANDING = Codec(Standing)
NOMINATION = Codec(Nomination)
ENDED_SESSION = Codec(EndedSession)
FINDING = Codec(Finding)
