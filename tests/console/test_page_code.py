"""The page's own checks: format, lint, types, and its tests of functions (`npm run check`).

Those tests get generated definitions and the API's vocabulary from here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from streamseg.cli.definition_files import parse_definition
from streamseg.json_text import dumps, loads
from streamseg.wording.vocabulary import fixed_vocabulary
from tests.strategies.conditions import definition_of, definitions_without_id
from tests.strategies.values import written

CONSOLE = Path(__file__).parents[2] / "console"
DEFINITIONS = 3_000
START_MS = 1_800_000_000_000


def _definitions() -> list[Any]:
    found: list[Any] = []

    @settings(
        max_examples=DEFINITIONS,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        found.append(written(definition_of("s", data.draw(definitions_without_id)), START_MS))

    draw()
    return found


def test_the_page_passes_its_checks(tmp_path: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    if not (CONSOLE / "node_modules").is_dir():
        if os.environ.get("CI"):
            pytest.fail("the console's packages are not installed: make console")
        pytest.skip("the console's packages are not installed: make console")
    npm = shutil.which("npm", path=path)
    assert npm is not None
    (tmp_path / "definitions.json").write_bytes(dumps(_definitions()))
    vocabulary = {"timezone": "Asia/Shanghai", **fixed_vocabulary(), "attributes": [], "events": []}
    (tmp_path / "vocabulary.json").write_bytes(dumps(vocabulary))
    done = subprocess.run(
        [npm, "run", "check"],
        cwd=CONSOLE,
        env={**os.environ, "PATH": path, "CONSOLE_TEST_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=1_800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
    # The command line reads the files that the page makes of the definitions.
    left = loads((tmp_path / "texts.json").read_bytes())
    assert len(left["texts"]) >= DEFINITIONS
    for definition, text in zip(left["definitions"], left["texts"], strict=True):
        assert parse_definition(text.encode(), json=False) == definition
