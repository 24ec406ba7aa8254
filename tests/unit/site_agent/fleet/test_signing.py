"""Signatures of webhooks, beside the standard's own example."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import ConfigError
from site_agent.fleet.webhooks.signing import headers, new_secret, read_secret

EXAMPLE = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime.fromtimestamp(1614265330, UTC)


def secret(tmp_path: Path, text: str) -> bytes:
    path = tmp_path / "secret"
    path.write_text(text)
    return read_secret(path)


def test_the_example_of_the_reference_libraries(tmp_path: Path) -> None:
    made = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        AT,
        b'{"test": 2432232314}',
        [secret(tmp_path, EXAMPLE + "\n")],
    )
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_replaced_both_sign(tmp_path: Path) -> None:
    both = [secret(tmp_path, new_secret()), secret(tmp_path, EXAMPLE)]
    signed = headers("e", AT, b"{}", both)["webhook-signature"].split(" ")
    wanted = [hmac.new(one, b"e.1614265330.{}", hashlib.sha256).digest() for one in both]
    assert signed == [f"v1,{base64.b64encode(one).decode()}" for one in wanted]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "24 to 64 bytes"),
        ("whsec_c2hvcnQ=", "24 to 64 bytes"),
        ("whsec_not base64!", "no secret"),
        ("whsec_" + "A" * 92, "24 to 64 bytes"),
        ("\u00e9", "no secret"),
    ],
)
def test_what_is_no_secret_is_refused_and_not_shown(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        secret(tmp_path, text)
    assert not text or text not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: cannot be read"):
        read_secret(tmp_path / "nowhere")


def test_the_verification_in_the_documentation_is_right(tmp_path: Path) -> None:
    page = Path(__file__).parents[4] / "docs/how-to/receive-webhooks.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    shown: dict[str, Any] = {}
    exec(code, shown)  # what readers copy
    now, body = datetime.now(UTC), b'{"type":"webhook.test"}'
    signed = headers("evt_1", now, body, [b"0" * 32, secret(tmp_path, EXAMPLE)])
    assert shown["verified"](signed, body, EXAMPLE)
    assert not shown["verified"](signed, body + b" ", EXAMPLE)
    assert not shown["verified"](signed, body, new_secret())
    old = headers("evt_1", AT, body, [secret(tmp_path, EXAMPLE)])
    assert not shown["verified"](old, body, EXAMPLE)
