"""The habits of real servers, each of which must be borne."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.errors import ProtocolError
from contracts.sep2 import codec
from contracts.sep2.codec import decode, encode
from contracts.sep2.dialect import CSIPAUS_NAMESPACES, CSIPAUS_V1_2, Dialect
from contracts.sep2.hexes import same_hex
from contracts.sep2.resources import (
    ConnectionPoint,
    DERCapability,
    DERControl,
    DERControlList,
    DERProgram,
    EndDevice,
    Error,
    Notification,
    Registration,
    Resource,
    Response,
    ResponseList,
    Scaled,
    Time,
)

NS = 'xmlns="urn:ieee:std:2030.5:ns"'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
AU = 'xmlns:au="https://csipaus.org/ns"'


def control(
    base: str = "", *, start: str = "1000", mrid: str = "3c00009f1c", more: str = ""
) -> str:
    return (
        f'<DERControl href="/c/1" replyTo="/r" responseRequired="03" {NS} {AU}>'
        f"<mRID>{mrid}</mRID><creationTime>900</creationTime>"
        "<EventStatus><currentStatus>1</currentStatus><dateTime>900</dateTime></EventStatus>"
        f"<interval><duration>60</duration><start>{start}</start></interval>"
        f"<DERControlBase>{base}</DERControlBase>{more}</DERControl>"
    )


def read_control(base: str = "", **parts: str) -> DERControl:
    return decode(control(base, **parts).encode(), DERControl)


def power(name: str, value: int, multiplier: int = 0) -> str:
    return f"<{name}><multiplier>{multiplier}</multiplier><value>{value}</value></{name}>"


def test_an_mrid_is_kept_as_sent_and_compared_by_value() -> None:
    read = read_control()
    assert read.mrid == "3c00009f1c"
    assert read.canonical_mrid == "0000000000000000000000" + "3C00009F1C"
    assert same_hex(read.mrid, "003C00009F1C")
    assert b"<mRID>3c00009f1c</mRID>" in encode(read)


def test_bits_are_read_with_any_number_of_leading_zeros() -> None:
    bodies = (f"<modesSupported>{text}</modesSupported>" for text in ("0A", "0000000A", "a", "0a"))
    read = {
        decode(f"<DERCapability {NS}>{body}</DERCapability>".encode(), DERCapability)
        for body in bodies
    }
    assert read == {DERCapability(modes_supported=10)}


@pytest.mark.row("sep2:AU1")
@pytest.mark.parametrize("namespace", CSIPAUS_NAMESPACES)
@pytest.mark.parametrize("prefix", ["csipaus", "x1"])
def test_every_known_australian_namespace_means_the_same(namespace: str, prefix: str) -> None:
    mode = f'<{prefix}:opModImpLimW xmlns:{prefix}="{namespace}"><multiplier>1</multiplier>'
    base = read_control(f"{mode}<value>9900</value></{prefix}:opModImpLimW>").der_control_base
    assert base.modes == {"opModImpLimW": Scaled(value=9900, multiplier=1)}
    assert base.extension == ()


def test_an_australian_mode_in_an_unknown_namespace_is_kept_but_not_obeyed() -> None:
    unknown = power("opModImpLimW", 5).replace(
        "<opModImpLimW>", '<opModImpLimW xmlns="https://csipaus.org/ns/v9">'
    )
    base = read_control(unknown).der_control_base
    assert base.modes == {}
    assert len(base.extension) == 1
    assert b"https://csipaus.org/ns/v9" in base.extension[0]


def test_unknown_elements_are_kept_and_sent_on() -> None:
    base = '<opModNew a="1">7</opModNew><x:y xmlns:x="urn:x"><x:z/></x:y>'
    read = read_control(base, more="<somethingElse/>")
    assert len(read.der_control_base.extension) == 2
    assert decode(encode(read)) == read
    device = decode(f"<EndDevice {NS}><color>red</color></EndDevice>".encode(), EndDevice)
    program = decode(
        f"<DERProgram {NS}><primacy>1</primacy><color>red</color></DERProgram>".encode(), DERProgram
    )
    assert b">red</color>" in device.extension[0]
    assert b">red</color>" in program.extension[0]


def test_what_is_kept_does_not_carry_every_namespace_of_the_document() -> None:
    declared = " ".join(f'xmlns:n{n}="urn:n{n}"' for n in range(500))
    text = f"<EndDevice {NS} {declared}><n7:color>red</n7:color></EndDevice>"
    (kept,) = decode(text.encode(), EndDevice).extension
    assert kept == b'<n7:color xmlns:n7="urn:n7">red</n7:color>'


def test_powers_beyond_int16_are_read() -> None:
    body = power("rtgMaxW", 150_000)
    read = decode(f"<DERCapability {NS}>{body}</DERCapability>".encode(), DERCapability)
    assert read.rtg_max_w is not None
    assert read.rtg_max_w.number == 150_000.0


def test_elements_in_any_order_and_with_any_prefix() -> None:
    text = (
        '<s:Registration xmlns:s="urn:ieee:std:2030.5:ns" href="/rg"><s:pIN> 111115 </s:pIN>'
        "<!-- set by hand --><s:dateTimeRegistered>1795224055</s:dateTimeRegistered>"
        "</s:Registration>"
    )
    assert decode(text.encode()) == Registration(
        href="/rg", pin=111115, date_time_registered=datetime(2026, 11, 21, 1, 20, 55, tzinfo=UTC)
    )


def test_what_servers_leave_out_is_borne() -> None:
    assert decode(f"<EndDevice {NS}/>".encode()) == EndDevice()
    assert decode(f"<DERCapability {NS}/>".encode()) == DERCapability()
    time = decode(f"<Time {NS}><currentTime>0</currentTime></Time>".encode(), Time)
    assert time == Time(current_time=datetime(1970, 1, 1, tzinfo=UTC))
    assert decode(f"<DERControlList {NS}/>".encode()) == DERControlList()
    undated = decode(control().replace("<dateTime>900</dateTime>", "").encode(), DERControl)
    assert undated.event_status.date_time is None


def test_what_an_event_cannot_do_without_is_named() -> None:
    text = control().replace("<creationTime>900</creationTime>", "")
    with pytest.raises(ProtocolError, match="DERControl: without creation_time"):
        decode(text.encode())


def test_a_bad_control_does_not_hide_the_good_ones() -> None:
    bad = control(start="soon", mrid="3d00009f1c")
    worse = '<DERControl href="/c/9"/>'
    text = f'<DERControlList {NS} all="3" results="3">{control()}{bad}{worse}</DERControlList>'
    read = decode(text.encode(), DERControlList)
    assert [item.mrid for item in read.items] == ["3c00009f1c"]
    first, second = read.rejected
    assert (first.href, first.mrid, first.reply_to) == ("/c/1", "3d00009f1c", "/r")
    assert "DERControl: interval: start" in first.reason
    assert (second.href, second.mrid) == ("/c/9", None)
    assert "without" in second.reason


def test_a_bad_mode_names_its_control_so_that_it_can_be_answered() -> None:
    bad = control("<opModMaxLimW>lots</opModMaxLimW>")
    read = decode(f"<DERControlList {NS}>{bad}</DERControlList>".encode(), DERControlList)
    assert read.items == ()
    assert read.rejected[0].mrid == "3c00009f1c"
    assert "DERControlBase: opModMaxLimW: " in read.rejected[0].reason


def test_two_values_of_one_mode_are_refused_even_from_two_namespaces() -> None:
    other = '<v:opModImpLimW xmlns:v="https://csipaus.org/ns/v1.3"><multiplier>0</multiplier>'
    text = power("au:opModImpLimW", 1) + other + "<value>2</value></v:opModImpLimW>"
    with pytest.raises(ProtocolError, match="opModImpLimW: given twice"):
        read_control(text)


def test_a_notification_holds_the_resource_its_type_names() -> None:
    def notified(resource: str) -> Resource | None:
        text = (
            f"<Notification {NS} {XSI}><subscribedResource>/c</subscribedResource>{resource}"
            "<status>0</status><subscriptionURI>/s</subscriptionURI></Notification>"
        )
        return decode(text.encode(), Notification).resource

    controls = notified(f'<Resource xsi:type="DERControlList" all="1">{control()}</Resource>')
    assert isinstance(controls, DERControlList)
    assert controls.items == (read_control(),)
    prefixed = (
        f'<Resource xmlns:s="urn:ieee:std:2030.5:ns" xsi:type="s:EndDevice" href="/e" {XSI}/>'
    )
    assert notified(prefixed) == EndDevice(href="/e")
    assert notified('<Resource href="/x"/>') == Resource(href="/x")
    assert notified('<Resource xsi:type="Teapot" href="/x"/>') == Resource(href="/x")
    assert notified('<Resource xsi:type="Error" href="/x"/>') == Resource(href="/x")
    assert notified("") is None


def test_responses_of_every_class_in_one_list() -> None:
    body = "<endDeviceLFDI>0a</endDeviceLFDI><subject>0b</subject>"
    text = (
        f"<ResponseList {NS} {XSI}><Response>{body}</Response>"
        f'<Response xsi:type="PriceResponse">{body}</Response>'
        f'<Response xsi:type="EndDevice">{body}</Response></ResponseList>'
    )
    read = decode(text.encode(), ResponseList).items
    assert [type(item).__name__ for item in read] == ["Response", "PriceResponse", "Response"]


def test_a_subclass_of_the_expected_resource_will_do() -> None:
    text = (
        f"<DERControlResponse {NS}><endDeviceLFDI>0a</endDeviceLFDI><status>1</status>"
        "<subject>0b</subject></DERControlResponse>"
    )
    assert decode(text.encode(), Response).status == 1
    with pytest.raises(ProtocolError, match="a DERControlResponse, not a Time"):
        decode(text.encode(), Time)


@pytest.mark.parametrize("root", ["csipaus:ConnectionPoint", "ConnectionPoint"])
def test_a_connection_point_in_either_namespace(root: str) -> None:
    text = (
        f'<{root} {NS} xmlns:csipaus="https://csipaus.org/ns/v1.3">'
        f"<csipaus:connectionPointId>NMI-1</csipaus:connectionPointId></{root}>"
    )
    assert decode(text.encode()) == ConnectionPoint(connection_point_id="NMI-1")


def test_an_error_with_a_message_the_schema_does_not_know() -> None:
    text = f"<Error {NS}><message>no such site</message><reasonCode>1</reasonCode></Error>"
    assert decode(text.encode(), Error).message == "no such site"


def test_an_event_has_a_window() -> None:
    start = datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC)
    assert read_control().interval.window.start == start
    assert read_control().interval.window.end == start + timedelta(minutes=1)


def test_read_and_written_back_for_the_same_peer_says_the_same() -> None:
    dialect = Dialect(csipaus=CSIPAUS_V1_2)
    read = read_control(power("au:opModImpLimW", -1, 2) + "<opModConnect>1</opModConnect>")
    assert decode(encode(read, dialect)) == read
    assert codec.MEDIA_TYPE == "application/sep+xml"
