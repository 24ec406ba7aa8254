"""Subscriptions of a client (8.7); sending Notifications is `notify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from contracts.sep2.resources import Subscription, SubscriptionList
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.function_sets.common import FunctionSet
from vtn_sim.sep2.refusal import bad_request, not_found
from vtn_sim.sep2.routing import Call, Posted, Route
from vtn_sim.sep2.subscriptions import Held, Topic
from vtn_sim.sep2.utility import Utility

TopicOf = Callable[[Device, str], Topic | None]
"""What subscribers to a path want to be told of; None: it cannot be subscribed to."""


class SubscriptionFunctionSet(FunctionSet):
    """Who wants to be told; only below the client's own EndDevice (CSIP 5.2)."""

    def __init__(self, utility: Utility, topic_of: TopicOf) -> None:
        super().__init__(utility)
        self._topic_of = topic_of

    def routes(self) -> Iterator[Route]:
        """Every path."""
        yield Route(
            pattern="edev/{device}/sub",
            kind="SubscriptionList",
            get=self.subscriptions,
            post=self.subscribe,
        )
        yield Route(
            pattern="edev/{device}/sub/{subscription}",
            kind="Subscription",
            get=lambda call: self._resource(self._own(call), self._held(call)),
            put=self.renew,
            delete=lambda call: self.utility.subscriptions.remove(self._held(call)),
        )

    def _own(self, call: Call) -> Device:
        device = self.device(call)
        if device is not call.client:
            raise not_found("subscriptions are below the client's own EndDevice")
        return device

    def _held(self, call: Call) -> Held:
        found = self.utility.subscriptions.numbered(call.params["subscription"])
        if found is None or found.client != self._own(call).lfdi:
            raise not_found("no such Subscription")
        return found

    def subscriptions(self, call: Call) -> SubscriptionList:
        """The client's Subscriptions."""
        device = self._own(call)
        return self.listed(
            SubscriptionList,
            f"{self.hrefs.device(device.number)}/sub",
            self.utility.subscriptions.of(device.lfdi),
            call,
            lambda held: self._resource(device, held),
        )

    def _resource(self, device: Device, held: Held) -> Subscription:
        return replace(held.resource, href=self.href(device, held))

    def href(self, device: Device, held: Held) -> str:
        """Where a Subscription is."""
        return f"{self.hrefs.device(device.number)}/sub/{held.number}"

    def subscribe(self, call: Call) -> Posted:
        """201 with its Location, also for one that is renewed so."""
        device, posted = self._own(call), call.read(Subscription)
        held, _ = self._put(device, posted)
        return Posted(location=self.href(device, held))

    def _put(self, device: Device, posted: Subscription) -> tuple[Held, bool]:
        path = urlsplit(posted.subscribed_resource).path
        topic = self._topic_of(device, path)
        if topic is None:
            raise bad_request("subscribedResource is not subscribable, or not there")
        if urlsplit(posted.notification_uri).scheme != "https":
            raise bad_request("notificationURI is not https")
        if posted.encoding != 0:
            raise bad_request("only XML is sent")
        now = self.utility.now()
        return self.utility.subscriptions.put(device.lfdi, path, topic, posted, now)

    def renew(self, call: Call) -> None:
        """The same Subscription again."""
        held, posted = self._held(call), call.read(Subscription)
        if urlsplit(posted.subscribed_resource).path != held.path:
            raise bad_request("subscribedResource cannot change")
        self._put(self._own(call), posted)
