"""Subscription and notification (8.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import element
from contracts.sep2.resources.base import Resource, ResourceList


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`Condition`: notify when the value leaves the band; `attribute_identifier` 0 is a reading."""

    attribute_identifier: Annotated[int, element("attributeIdentifier", kinds.UINT8)]
    lower_threshold: Annotated[int, element("lowerThreshold", kinds.INT48)]
    upper_threshold: Annotated[int, element("upperThreshold", kinds.INT48)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Resource):
    """`Subscription`: the wish to be told of changes at `notification_uri`."""

    subscribed_resource: Annotated[str, element("subscribedResource", kinds.URI)]
    condition: Annotated[Condition | None, element("Condition", Condition)] = None
    encoding: Annotated[int, element("encoding", kinds.UINT8)] = 0
    """0 XML, 1 EXI."""
    level: Annotated[str, element("level", kinds.STRING16)] = "+S1"
    """Schema level the notifications shall have."""
    limit: Annotated[int, element("limit", kinds.UINT32)]
    """Most items of a list per notification; 0 asks for none, only the hint."""
    notification_uri: Annotated[str, element("notificationURI", kinds.URI)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionList(ResourceList):
    """`SubscriptionList`."""

    items: Annotated[
        tuple[Subscription, ...], element("Subscription", Subscription, many=True)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(Resource):
    """`Notification`: a subscribed resource changed."""

    subscribed_resource: Annotated[str, element("subscribedResource", kinds.URI)]
    new_resource_uri: Annotated[str | None, element("newResourceURI", kinds.URI)] = None
    resource: Annotated[Resource | None, element("Resource", Resource)] = None
    """The changed resource, of its own class; treat it as a hint and GET it again."""
    status: Annotated[int, element("status", kinds.UINT8)] = 0
    """A `codes.NotificationStatus`."""
    subscription_uri: Annotated[str, element("subscriptionURI", kinds.URI)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationList(ResourceList):
    """`NotificationList`."""

    items: Annotated[
        tuple[Notification, ...], element("Notification", Notification, many=True)
    ] = ()
