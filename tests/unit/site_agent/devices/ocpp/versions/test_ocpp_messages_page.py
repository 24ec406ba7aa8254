"""The page of all messages leaves none out and says something of each."""

from __future__ import annotations

import re

import ocpp_messages
import pytest

from site_agent.devices.ocpp.central import DIALECTS
from site_agent.devices.ocpp.settings import Version

PAGE = ocpp_messages.page("made")


@pytest.mark.parametrize("version", DIALECTS)
def test_every_action_of_the_schemas_has_a_row_with_words(version: Version) -> None:
    [part] = re.findall(rf"## {re.escape(version.value)}\n(.*?)(?=\n## |\Z)", PAGE, re.DOTALL)
    rows = re.findall(r"^\| `(\w+)` \| (charger|us) \| (.+) \|$", part, re.MULTILINE)
    told = [action for action, _, _ in rows]
    assert sorted(set(told)) == ocpp_messages.actions(version)
    assert len(told) == len(set(told)) + 1  # DataTransfer goes both ways
    for action, who, what in rows:
        assert len(what) > 4, action
        assert who == "charger" or re.search("by (`|name)", what), action


def test_every_message_of_16_has_a_maker() -> None:
    assert "by name only" not in PAGE.split("## ocpp2.0.1", maxsplit=1)[0]
