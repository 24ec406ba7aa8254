"""Mirror metering (10.11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from contracts.sep2.codes import ReasonCode
from contracts.sep2.resources import (
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorUsagePoint,
    MirrorUsagePointList,
    Resource,
)
from vtn_sim.sep2.function_sets.common import FunctionSet
from vtn_sim.sep2.mirrors import Mirror
from vtn_sim.sep2.refusal import FORBIDDEN, Refused, bad_request, not_found
from vtn_sim.sep2.routing import Call, Posted, Route


class MeteringFunctionSet(FunctionSet):
    """What clients measure."""

    def routes(self) -> Iterator[Route]:
        """Every path."""
        yield Route(
            pattern="mup", kind="MirrorUsagePointList", get=self.mirrors, post=self.add_mirror
        )
        yield Route(
            pattern="mup/{mirror}",
            kind="MirrorUsagePoint",
            get=lambda call: self.mirror(self._mirror(call)),
            put=self.replace_mirror,
            post=self.add_readings,
            delete=lambda call: self.utility.mirrors.remove(self._mirror(call)),
        )
        yield Route(
            pattern="mup/{mirror}/mr/{reading}",
            kind="MirrorMeterReading",
            get=self.one_reading,
        )

    def mirrors(self, call: Call) -> MirrorUsagePointList:
        """The client's own."""
        mirrors = self.utility.mirrors.of(call.client.lfdi)
        return self.listed(MirrorUsagePointList, self.hrefs.mirrors, mirrors, call, self.mirror)

    def mirror(self, mirror: Mirror) -> MirrorUsagePoint:
        """One, with its quantities and the server's postRate."""
        quantities = tuple(
            MirrorMeterReading(
                mrid=quantity.mrid,
                description=quantity.description or None,
                reading_type=quantity.reading_type,
            )
            for quantity in mirror.quantities.values()
        )
        return replace(
            mirror.resource,
            href=f"{self.hrefs.mirrors}/{mirror.number}",
            meter_readings=quantities,
            post_rate=timedelta(seconds=self.utility.post_rate_s),
        )

    def _mirror(self, call: Call) -> Mirror:
        found = self.utility.mirrors.numbered(call.params["mirror"])
        if found is None or found.client != call.client.lfdi:
            raise not_found("no such MirrorUsagePoint")
        return found

    def add_mirror(self, call: Call) -> Posted:
        """201, or 204 with the same Location when the mRID is known (10.11.3)."""
        posted = call.read(MirrorUsagePoint)
        device = self.utility.devices.by_lfdi(posted.device_lfdi)
        if device is None or not device.listed or not self.owns(call.client, device):
            raise Refused(FORBIDDEN, "deviceLFDI is not the client's")
        now = self.utility.now()
        mirror, new = self.utility.mirrors.post(posted, call.client.lfdi, now)
        return Posted(location=f"{self.hrefs.mirrors}/{mirror.number}", new=new)

    def replace_mirror(self, call: Call) -> None:
        """Overwrite one."""
        mirror, posted = self._mirror(call), call.read(MirrorUsagePoint)
        known = mirror.resource
        if posted.mrid.upper() != known.mrid.upper() or posted.device_lfdi != known.device_lfdi:
            raise bad_request("mRID and deviceLFDI cannot change")
        self.utility.mirrors.post(posted, call.client.lfdi, self.utility.now())

    def add_readings(self, call: Call) -> Posted:
        """Readings of one quantity, or of several at once."""
        mirror, posted = self._mirror(call), call.read(Resource)
        match posted:
            case MirrorMeterReading():
                readings: tuple[MirrorMeterReading, ...] = (posted,)
            case MirrorMeterReadingList():
                readings = posted.items
            case _:
                raise bad_request("not a MirrorMeterReading", ReasonCode.INVALID_FORMAT)
        new, now = False, self.utility.now()
        for reading in readings:
            new = self.utility.mirrors.post_reading(mirror, reading, now) or new
        href = f"{self.hrefs.mirrors}/{mirror.number}"
        mrid = readings[0].mrid if readings else ""
        return Posted(location=f"{href}/mr/{mrid.upper()}", new=new)

    def one_reading(self, call: Call) -> MirrorMeterReading:
        """One quantity, without its readings."""
        mirror = self._mirror(call)
        for reading in self.mirror(mirror).meter_readings:
            if reading.mrid.upper() == call.params["reading"]:
                return reading
        raise not_found("no such MirrorMeterReading")
