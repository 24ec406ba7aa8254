from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from contracts.config import MAX_CONFIG_BYTES, Settings, load, loads
from contracts.errors import ConfigError


class Charger(Settings):
    id: str
    rated_a: Annotated[float, Field(gt=0)]


class Depot(Settings):
    name: str
    limit_w: float = -1.0
    chargers: tuple[Charger, ...] = ()


GOOD = """\
name: north
limit_w: -2e6
chargers:
  - {id: a, rated_a: 32}
  - id: b
    rated_a: 16
"""


def test_a_file_becomes_a_frozen_model() -> None:
    depot = loads(GOOD, Depot, name="depot.yaml")
    assert [c.id for c in depot.chargers] == ["a", "b"]
    assert depot.limit_w == -2e6  # PyYAML alone reads this as text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("rated_a: 16", "rated_a: 0"), "depot.yaml:6: chargers.1.rated_a: "),
        (GOOD.replace("    rated_a: 16\n", ""), "depot.yaml:5: chargers.1.rated_a: Field required"),
        (GOOD + "colour: blue\n", "depot.yaml:7: colour: "),
        ("", "depot.yaml:1: name: Field required"),
        ("- just\n- a list\n", "depot.yaml:1: (whole file): "),
        ("name: [unclosed\n", "depot.yaml: not YAML: line"),
        ("name: !!python/object:os.system x\n", "depot.yaml: not YAML"),
    ],
    ids=["range", "missing", "unknown", "empty", "list", "syntax", "code"],
)
def test_a_mistake_is_named_by_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        loads(text, Depot, name="depot.yaml")
    assert str(error.value).startswith(message)


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        loads("limit_w: much\n", Depot, name="d")
    assert str(error.value).count("\n") == 1


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_bytes(b"#" * (MAX_CONFIG_BYTES + 10))
    with pytest.raises(ConfigError, match="larger than"):
        load(path, Depot)
