"""Discovery: from DeviceCapability by links alone to everything that binds our devices.

IEEE 2030.5-2018, 8.3 to 8.6 and 10.10; CSIP P23 to P28. No path is ever made up.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.sep2.resources import DeviceCapability, EndDevice, EndDeviceList
from gateway.utility.sep2.device_walk import DeviceWalk, same
from gateway.utility.sep2.registration import pin_fault
from gateway.utility.sep2.settings import DeviceSettings
from gateway.utility.sep2.trail import Found, Trail
from gateway.utility.sep2.tree import Footprint
from gateway.utility.sep2.view import EMPTY, DeviceView, ServerView


class Walk:
    """Makes the view of what the tree knows; what the tree lacks is noted there to be read."""

    def __init__(
        self, devices: tuple[DeviceSettings, ...], trail: Trail, entry: str, own_lfdi: str
    ) -> None:
        """`entry` is the path of DeviceCapability, `own_lfdi` the aggregator's own."""
        self._settings = devices
        self._trail = trail
        self._entry = entry
        self._own_lfdi = own_lfdi
        followed = frozenset(mode for one in devices for mode in one.inverter_modes)
        self._walk = DeviceWalk(trail, followed)
        self._met: dict[str, EndDevice] = {}
        self._unchanged: dict[str, tuple[DeviceView, Footprint]] = {}
        self.view = EMPTY
        """As of the last walk."""
        self.time: str | None = None
        """Where the server's Time is."""
        self.end_devices: str | None = None
        """Where the EndDeviceList is, once it has been read."""
        self.subscriptions: str | None = None
        """SubscriptionList of our own EndDevice."""
        self.unlisted: tuple[DeviceSettings, ...] = ()
        """Configured devices the server does not list (yet)."""
        self.faults: dict[str, str] = {}
        """Why a listed device is left alone, in words, by LFDI."""

    def again(self) -> ServerView:
        """Walk everything, without a request; what did not change stays the same object.

        While DeviceCapability or the EndDeviceList cannot be had, all stays as it was.
        """
        trail = self._trail
        trail.tree.begin()
        self._walk.begin()
        capability = trail.tree.look(self._entry, DeviceCapability, self._entry)
        if capability is None:
            return self.view
        self.time = trail.path(capability.time_link, self._entry)
        listed = trail.follow(capability.end_device_list_link, EndDeviceList, self._entry)
        if listed is None:
            return self.view
        self.end_devices = listed.path
        mirror = trail.path(capability.mirror_usage_point_list_link, self._entry)
        devices = self._devices(listed)
        missing = self.unlisted if is_whole(listed.content) else ()
        absent = frozenset((*(one.lfdi for one in missing), *self.faults))
        found = ServerView(devices=devices, mirror_usage_points=mirror, absent=absent)
        self.time = self.time or self._walk.time
        # Nothing listed is something else than nothing read.
        self.view = found if self.view is EMPTY else same(self.view, found)
        return self.view

    def _devices(self, listed: Found[EndDeviceList]) -> Mapping[str, DeviceView]:
        by_lfdi = {device.canonical_lfdi: device for device in listed.content.items}
        own = by_lfdi.get(self._own_lfdi)
        link = None if own is None else own.subscription_list_link
        self.subscriptions = self._trail.path(link, listed.path)
        ours = [(one, by_lfdi.get(one.lfdi)) for one in self._settings]
        self.unlisted = tuple(one for one, found in ours if not _registered(found))
        self.faults = {}
        devices: dict[str, DeviceView] = {}
        for one, end_device in ours:
            if end_device is not None and _registered(end_device):
                view = self._device(one, end_device, listed.path)
                if view is not None:
                    devices[one.lfdi] = view
        return devices

    def _device(
        self, settings: DeviceSettings, end_device: EndDevice, base: str
    ) -> DeviceView | None:
        """The device as it is now; the very same as before, if nothing it rests on changed."""
        tree, lfdi = self._trail.tree, settings.lfdi
        unchanged = self._unchanged.pop(lfdi, None)
        if unchanged is not None:
            view, footprint = unchanged
            if view.end_device is end_device and tree.retrace(footprint):
                self._walk.keep(view)
                self._unchanged[lfdi] = unchanged
                return view
        if self._met.get(lfdi, end_device) != end_device:
            self._walk.changed(end_device, base)
        self._met[lfdi] = end_device
        unread = tree.unread
        tree.trace()
        found = self._visit(settings, end_device, base)
        if found is not None and tree.unread == unread:
            self._unchanged[lfdi] = found, tree.trace()
        return found

    def _visit(
        self, settings: DeviceSettings, end_device: EndDevice, base: str
    ) -> DeviceView | None:
        """The device as it is now, or as it was, while parts of it have yet to be read."""
        tree, known = self._trail.tree, self.view.devices.get(settings.lfdi)
        unread, awaited = tree.unread, tree.awaited
        if settings.pin is not None:
            fault = pin_fault(settings.pin, self._walk.registration(end_device, base))
            if fault is not None:
                self.faults[settings.lfdi] = fault
                return None
            if tree.unread > unread:
                return known
        found = self._walk.view(settings.lfdi, end_device, base)
        if tree.awaited > awaited or (known is None and tree.unread > unread):
            return known
        return found if known is None else same(known, found)


def is_whole(listed: EndDeviceList) -> bool:
    """Whether the list has all it promises, legibly: only then does it show who is missing."""
    return not listed.rejected and len(listed.items) >= (listed.all or 0)


def _registered(end_device: EndDevice | None) -> bool:
    """A server may keep a device it no longer serves, and say so (8.5.2)."""
    return end_device is not None and end_device.enabled is not False
