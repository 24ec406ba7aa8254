from datetime import UTC, datetime, timedelta

import pytest

from contracts.sep2 import kinds
from contracts.sep2.kinds import Kind


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (kinds.UINT8, " +7\n", 7),
        (kinds.INT16, "-32768", -(2**15)),
        (kinds.PERCENT, "65535", 65535),
        (kinds.BITS8, "0F", 15),
        (kinds.BITS32, "f", 15),
        (kinds.BITS16, "000000000003", 3),
        (kinds.MRID, " 0a ", "0a"),
        (kinds.BOOLEAN, "1", True),
        (kinds.BOOLEAN, " false ", False),
        (kinds.TIME, "0", datetime(1970, 1, 1, tzinfo=UTC)),
        (kinds.TIME, "-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (kinds.SECONDS, "4294967295", timedelta(seconds=2**32 - 1)),
        (kinds.OFFSET, "-18000", timedelta(hours=-5)),
        (kinds.CENTISECONDS, "1250", timedelta(seconds=12.5)),
        (kinds.STRING32, "x" * 40, "x" * 40),
    ],
)
def test_reads(kind: Kind, text: str, value: object) -> None:
    assert kind.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (kinds.UINT8, "256"),
        (kinds.UINT8, "-1"),
        (kinds.INT16, "32768"),
        (kinds.UINT8, "7.0"),
        (kinds.UINT8, "1_0"),
        (kinds.UINT8, "٧"),
        (kinds.UINT8, "0x7"),
        (kinds.UINT8, ""),
        (kinds.PERCENT, "65536"),
        (kinds.BITS8, "1FF"),
        (kinds.BITS8, ""),
        (kinds.BITS8, "0x1"),
        (kinds.BITS8, "-1"),
        (kinds.BITS8, "F" * 1000),
        (kinds.MRID, ""),
        (kinds.MRID, "0" * 33),
        (kinds.MRID, "a b"),
        (kinds.LFDI, "xyz"),
        (kinds.BOOLEAN, "yes"),
        (kinds.TIME, "137438953473"),
        (kinds.TIME, "today"),
        (kinds.SECONDS, "-1"),
        (kinds.ONE_HOUR_RANGE, "3601"),
    ],
)
def test_refuses(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        kind.parse(text)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (kinds.BITS8, 3, "03"),
        (kinds.BITS16, 3, "0003"),
        (kinds.BITS32, 10, "0000000A"),
        (kinds.MRID, "abc", "0abc"),
        (kinds.BOOLEAN, False, "false"),
        (kinds.TIME, datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC), "1"),
        (kinds.CENTISECONDS, timedelta(seconds=0.25), "25"),
        (kinds.STRING32, 'a<b>&"c"\r', "a&lt;b&gt;&amp;&quot;c&quot;&#13;"),
    ],
)
def test_writes(kind: Kind, value: object, text: str) -> None:
    assert kind.format(value) == text


def test_any_duration_can_be_added_to_any_time() -> None:
    latest = kinds.TIME.parse(str(2**37))
    assert latest + kinds.SECONDS.parse(str(2**32 - 1)) + timedelta(hours=2) > latest
    assert kinds.TIME.parse(str(-(2**32))) - timedelta(hours=2) < latest
