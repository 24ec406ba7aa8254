import os
from pathlib import Path

import pytest

from contracts.errors import ConfigError
from site_agent.devices.profiles.library import CATALOG, catalog, find, of_nature
from support.profile_text import METER


def test_profiles_that_come_with_the_agent_cite_their_source() -> None:
    assert len(catalog()) >= 8
    natures = [one.nature for one in catalog().values()]
    assert all(natures.count(one) >= 2 for one in ("meter", "battery", "pv", "charger"))
    for profile in catalog().values():
        assert all(len(source) > 10 for source in profile.source)


def test_an_unknown_id_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"acme\.nothing.*eastron\.sdm630"):
        find("acme.nothing")


def test_one_of_another_nature_is_refused() -> None:
    assert of_nature("eastron.sdm630", "meter").id == "eastron.sdm630"
    assert of_nature("eastron.sdm630", "sensor").id == "eastron.sdm630"
    with pytest.raises(ConfigError, match="of a meter, not of a battery"):
        of_nature("eastron.sdm630", "battery")


def test_a_file_of_the_installation_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(METER)
    assert find(str(path)).id == "acme.meter"


def test_what_is_no_file_of_yaml_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "text.txt").write_text(METER)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    for name in ("pipe.yaml", "folder.yaml", "text.txt", "binary.yaml", "missing.yaml"):
        with pytest.raises(ConfigError, match=name):
            find(str(tmp_path / name))
    with pytest.raises(ConfigError, match="a profile is a file"):
        find("/dev/zero")


def test_no_path_leads_out_of_the_catalogue() -> None:
    with pytest.raises(ConfigError):
        find("../library")
    with pytest.raises(ConfigError):
        find(str(CATALOG / ".." / "schema.py"))
