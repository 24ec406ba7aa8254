"""An IEEE 2030.5 server of a few dictionaries, behind `httpx.MockTransport`: no socket, no TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx

from contracts import identity
from contracts.sep2 import codec
from contracts.sep2.dialect import CSIPAUS_V1_2, Dialect
from contracts.sep2.resources import (
    DER,
    DateTimeInterval,
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERControlList,
    DERList,
    DERProgram,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    EventStatus,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    Link,
    ListLink,
    Registration,
    Resource,
    ResourceList,
    Scaled,
    Subscription,
    SubscriptionList,
    Time,
)
from contracts.time import Clock
from gateway.utility.sep2.settings import DeviceSettings, RatingSettings, Sep2Settings
from gateway.utility.sep2.transport import NotVisibleError, Sep2Transport

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
OWN_LFDI = "A" * 40
PIN = 111115
_AUS = Dialect(csipaus=CSIPAUS_V1_2)


def lfdi(number: int) -> str:
    """LFDI of the n-th device."""
    return f"{number:040X}"


def settings(count: int = 1, **more: object) -> Sep2Settings:
    """Settings for devices 1 to `count`, one site each."""
    devices = tuple(
        DeviceSettings(
            lfdi=lfdi(n), pin=PIN, sites=(f"depot-{n}",), ratings=RatingSettings(rtg_max_w=1e5)
        )
        for n in range(1, count + 1)
    )
    file = Path("unused")
    fields: dict[str, object] = {
        "utility_id": "utility",
        "url": "https://utility.example/dcap",
        "ca": file,
        "cert": file,
        "key": file,
        "csipaus": CSIPAUS_V1_2,
        "devices": devices,
    }
    return Sep2Settings.model_validate(fields | more)


class TreeServer:
    """Serves `resources` by path; lists page by page; POSTs are appended and remembered."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self.status: dict[str, int] = {}
        """Paths answered with an error."""
        self.garbles: dict[str, tuple[bytes, bytes]] = {}
        """What is spoiled in the bodies of these paths, and with what."""
        self.hangs: set[str] = set()
        """Paths that are never answered."""
        self.asked: Counter[str] = Counter()
        """GETs by path."""
        self.posted: list[tuple[str, Resource]] = []
        self.put: list[tuple[str, Resource]] = []
        self.deleted: list[str] = []
        self.on_post: Callable[[str, Resource], httpx.Response] | None = None
        self.down = False
        self.clock: Clock | None = None
        """Whose time the server tells; None: it stands still."""
        self.page_cap = 255
        self._added = 0
        self._bodies: dict[tuple[str, int, int], tuple[Resource, bytes]] = {}

    @property
    def requests(self) -> int:
        """GETs so far."""
        return sum(self.asked.values())

    def transport(self, of: Sep2Settings) -> Sep2Transport:
        """A transport that ends here."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return Sep2Transport(of, tls, http=httpx.MockTransport(self._wait_and_handle))

    async def _wait_and_handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path in self.hangs:
            self.asked[request.url.path] += 1
            await asyncio.Event().wait()
        return self.handle(request)

    def direct(self, of: Sep2Settings) -> Sep2Transport:
        """As `transport`, with the HTTP client left out of GETs: for thousands of them."""
        return _Direct(of, self)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        if self.down:
            raise httpx.ConnectError("the server is down")
        path = request.url.path
        if request.method == "GET":
            self.asked[path] += 1
        status = self.status.get(path)
        if status is not None:
            return httpx.Response(status)
        if request.method == "GET":
            return self._get(path, request.url.query.decode())
        if request.method == "DELETE":
            return self._delete(path)
        resource = codec.decode(request.content, Resource)
        if request.method == "PUT":
            self.put.append((path, resource))
            return httpx.Response(204)
        self.posted.append((path, resource))
        return (
            self.on_post(path, resource) if self.on_post is not None else self.add(path, resource)
        )

    def add(self, path: str, resource: Resource) -> httpx.Response:
        """Append to a list, as a POST does."""
        listed = self.resources[path]
        assert isinstance(listed, ResourceList)
        self._added += 1
        href = f"{path}/{len(listed.items) + self._added}"
        self.resources[path] = replace(listed, items=(*listed.items, replace(resource, href=href)))
        return httpx.Response(201, headers={"Location": href})

    def _delete(self, path: str) -> httpx.Response:
        self.deleted.append(path)
        place = path.rsplit("/", 1)[0]
        listed = self.resources[place]
        assert isinstance(listed, ResourceList)
        items = tuple(one for one in listed.items if one.href != path)
        self.resources[place] = replace(listed, items=items)
        return httpx.Response(204)

    def _get(self, path: str, query: str) -> httpx.Response:
        resource = self.resources.get(path)
        if resource is None:
            return httpx.Response(404)
        asked = parse_qs(query)
        start, limit = int(asked.get("s", ["0"])[0]), int(asked.get("l", ["1"])[0])
        limit = min(limit, self.page_cap)
        if isinstance(resource, Time) and self.clock is not None:
            resource = replace(resource, current_time=self.clock.now())
        kept = self._bodies.get((path, start, limit))
        if kept is None or kept[0] is not resource:
            kept = self._bodies[path, start, limit] = resource, _body(resource, start, limit)
        body = kept[1].replace(*self.garbles.get(path, (b"", b"")))
        return httpx.Response(
            200, content=body, headers={"Content-Type": "application/sep+xml; charset=UTF-8"}
        )


def _body(resource: Resource, start: int, limit: int) -> bytes:
    if isinstance(resource, ResourceList):
        total = len(resource.items) if resource.all is None else resource.all
        page = resource.items[start : start + limit]
        resource = replace(resource, items=page, all=total, results=len(page))
    return codec.encode(resource, _AUS)


class _Direct(Sep2Transport):
    def __init__(self, of: Sep2Settings, server: TreeServer) -> None:
        http = httpx.MockTransport(server.handle)
        super().__init__(of, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), http=http)
        self._tree_server = server

    async def fetch(self, href: str, kind: type[Resource]) -> bytes:
        self.requests[f"GET {kind.__name__}"] += 1
        answer = self._tree_server.handle(httpx.Request("GET", self.server.absolute(href)))
        if answer.status_code != httpx.codes.OK:
            raise NotVisibleError(href)
        return answer.content


class Fleet(TreeServer):
    """Devices in a tree of groups: one program for all, one per tenth, one per group.

    `shared`: devices of a group have one DERProgramList; otherwise each has its own.
    """

    def __init__(
        self, count: int, *, groups: int = 20, prefix: str = "", shared: bool = False
    ) -> None:
        super().__init__()
        self.prefix = prefix
        self.groups = groups
        self.shared = shared
        p = prefix
        self.resources["/dcap"] = DeviceCapability(
            href="/dcap",
            poll_rate=timedelta(seconds=900),
            time_link=Link(href=f"{p}/tm"),
            end_device_list_link=ListLink(href=f"{p}/edev", all=count + 1),
            mirror_usage_point_list_link=ListLink(href=f"{p}/mup", all=0),
        )
        self.resources[f"{p}/tm"] = Time(
            current_time=NOW,
            dst_end_time=NOW,
            dst_start_time=NOW,
            dst_offset=timedelta(0),
            tz_offset=timedelta(0),
            quality=7,
        )
        own = EndDevice(
            href=f"{p}/edev/0",
            lfdi=OWN_LFDI,
            sfdi=identity.sfdi(OWN_LFDI),
            changed_time=NOW,
            subscription_list_link=ListLink(href=f"{p}/edev/0/sub"),
        )
        self.resources[f"{p}/edev/0/sub"] = SubscriptionList()
        devices = [own, *(self._device(n) for n in range(1, count + 1))]
        self.resources[f"{p}/edev"] = EndDeviceList(
            href=f"{p}/edev",
            subscribable=1,
            poll_rate=timedelta(seconds=900),
            items=tuple(devices),
        )
        for name in ("system", *(f"sub-{n}" for n in range(groups // 4 + 1))):
            self.program(name)
        for group in range(groups):
            self.program(f"feeder-{group}")
            if shared:
                self.resources[f"{p}/derp/{group}"] = self.program_list(group)

    def program(self, name: str) -> DERProgram:
        """A program with one control, its default, and where they are."""
        p = f"{self.prefix}/prog/{name}"
        number = sum(name.encode())
        program = DERProgram(
            href=p,
            mrid=f"{number:032X}",
            primacy={"s": 5, "f": 1}[name[0]] + (3 if name == "system" else 0),
            default_der_control_link=Link(href=f"{p}/dderc"),
            der_control_list_link=ListLink(href=f"{p}/derc", all=1),
        )
        self.resources[f"{p}/derc"] = DERControlList(
            href=f"{p}/derc",
            subscribable=1,
            items=(control(f"{p}/derc/1", number),),
        )
        self.resources[f"{p}/dderc"] = DefaultDERControl(
            href=f"{p}/dderc",
            subscribable=1,
            mrid=f"{number + 0xD000:032X}",
            der_control_base=DERControlBase(modes={"opModImpLimW": Scaled.of(100_000)}),
        )
        return program

    def program_list(self, group: int) -> DERProgramList:
        """The three programs of a group."""
        names = ("system", f"sub-{group // 4}", f"feeder-{group}")
        p = self.prefix
        return DERProgramList(
            subscribable=1,
            poll_rate=timedelta(seconds=300),
            items=tuple(self.program(name) for name in names),
            href=f"{p}/derp/{group}",
        )

    def _device(self, number: int) -> EndDevice:
        p = f"{self.prefix}/edev/{number}"
        group = number % self.groups
        self.assign(number, group)
        self.resources[f"{p}/rg"] = Registration(date_time_registered=NOW, pin=PIN)
        self.resources[f"{p}/der"] = DERList(
            poll_rate=timedelta(seconds=60),
            items=(
                DER(
                    href=f"{p}/der/1",
                    der_capability_link=Link(href=f"{p}/der/1/dercap"),
                    der_settings_link=Link(href=f"{p}/der/1/derg"),
                    der_status_link=Link(href=f"{p}/der/1/ders"),
                    der_availability_link=Link(href=f"{p}/der/1/dera"),
                ),
            ),
        )
        return EndDevice(
            href=p,
            subscribable=1,
            lfdi=lfdi(number),
            sfdi=identity.sfdi(lfdi(number)),
            changed_time=NOW,
            der_list_link=ListLink(href=f"{p}/der", all=1),
            function_set_assignments_list_link=ListLink(href=f"{p}/fsa", all=1),
            log_event_list_link=ListLink(href=f"{p}/lel", all=0),
            registration_link=Link(href=f"{p}/rg"),
            connection_point_link=Link(href=f"{p}/cp"),
        )

    def assign(self, number: int, group: int) -> None:
        """Put a device into a group."""
        p = f"{self.prefix}/edev/{number}"
        programs = f"{self.prefix}/derp/{group}" if self.shared else f"{p}/fsa/1/derp"
        if not self.shared:
            self.resources[programs] = replace(self.program_list(group), href=programs)
        self.resources[f"{p}/fsa"] = FunctionSetAssignmentsList(
            subscribable=1,
            items=(
                FunctionSetAssignments(
                    href=f"{p}/fsa/1",
                    mrid=f"{number:032X}",
                    der_program_list_link=ListLink(href=programs, all=3),
                    time_link=Link(href=f"{self.prefix}/tm"),
                ),
            ),
        )

    def change(self, path: str, **fields: object) -> None:
        """Alter a resource."""
        self.resources[path] = replace(self.resources[path], **fields)  # type: ignore[arg-type]

    def subscriptions(self) -> Sequence[Subscription]:
        """What the client has subscribed to."""
        listed = self.resources[f"{self.prefix}/edev/0/sub"]
        assert isinstance(listed, SubscriptionList)
        return listed.items


def control(href: str, number: int, watts: float = 50_000, **more: object) -> DERControl:
    """An import limit for an hour from now."""
    fields: dict[str, object] = {
        "href": href,
        "mrid": f"{number:032X}",
        "reply_to": "/rsp",
        "response_required": 3,
        "creation_time": NOW,
        "event_status": EventStatus(current_status=0, date_time=NOW),
        "interval": DateTimeInterval(duration=timedelta(hours=1), start=NOW),
        "der_control_base": DERControlBase(modes={"opModImpLimW": Scaled.of(watts)}),
    }
    return DERControl(**(fields | more))  # type: ignore[arg-type]
