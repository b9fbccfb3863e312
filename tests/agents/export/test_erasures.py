"""The list of erasures that came after an export."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.export.erasures import read_erasures
from streamseg.errors import ConfigurationError


def test_each_line_is_an_erasure(tmp_path: Path) -> None:
    path = tmp_path / "erased.ndjson"
    one, two = b'{"contact_id": "c1", "deleted": true}', b'{"contact_id": "\xe8\x81\x94", "deleted": true}'
    path.write_bytes(one + b"\n\n" + two)
    assert read_erasures(path) == [("c1", one), ("联", two)]


@pytest.mark.parametrize(
    "line", [b"c1", b"[]", b'{"contact_id": "c1"}', b'{"contact_id": 1, "deleted": true}']
)
def test_another_line_is_refused_by_its_number(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "erased.ndjson"
    path.write_bytes(b'{"contact_id": "c1", "deleted": true}\n' + line)
    with pytest.raises(ConfigurationError, match="line 2"):
        read_erasures(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_erasures(tmp_path / "none")
