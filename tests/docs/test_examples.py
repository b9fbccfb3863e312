"""examples/: its definitions, its data, and every command of its walk through."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import httpx
import orjson
import pytest
import yaml
from typer.testing import CliRunner

from streamseg.cli import app
from tests.cli.fake_api import FakeApi
from tests.docs.pages import DOCS

EXAMPLES = DOCS.parent / "examples"
TEXT = (EXAMPLES / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```\n\$ (streamseg [^\n]*)\n(.*?)^```$", TEXT, re.M | re.S)
PLAIN = [
    line for block in re.findall(r"^```bash\n(.*?)^```$", TEXT, re.M | re.S) for line in block.splitlines()
]
DEFINITIONS = sorted((EXAMPLES / "definitions").glob("*.yaml"))


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    for name in ("STREAMSEG_LANG", "STREAMSEG_TIMEZONE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_the_commands_print_what_is_shown(command: str, output: str) -> None:
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.rstrip() for line in result.stdout.splitlines()] == output.splitlines()


def test_the_other_commands_run_one_after_the_other() -> None:
    api = FakeApi()
    for built_in in ("email-unsubscribed", "global-unsubscribed"):
        api.add(built_in)
    assert len(PLAIN) == 5
    for command in PLAIN:
        words = shlex.split(command, comments=True)
        result = CliRunner().invoke(app, words[1:], obj=httpx.MockTransport(api.handle))
        assert (result.exit_code, result.stderr) == (0, ""), command
    assert set(api.segments) >= {path.stem for path in DEFINITIONS}


def test_the_target_that_is_named_exists() -> None:
    targets = re.findall(r"^(\w+):", (EXAMPLES.parent / "Makefile").read_text(encoding="utf-8"), re.M)
    assert set(re.findall(r"`make (\w+)`", TEXT)) <= set(targets)


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_a_definition_is_the_one_of_the_data_and_of_the_cookbook(path: Path) -> None:
    definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    lines = (EXAMPLES / "customers.ndjson").read_bytes().splitlines()
    values = [
        line["value"]
        for line in map(orjson.loads, lines)
        if line["topic"] == "segment-definitions" and line["key"] == path.stem
    ]
    assert values == [definition]
    blocks = re.findall(
        r"^```json\n(.*?)^```$", (DOCS / "segment-language.md").read_text("utf-8"), re.M | re.S
    )
    assert definition in [orjson.loads(block) for block in blocks]


def test_every_file_is_told_of() -> None:
    named = set(re.findall(r"\]\((?!\.\.)([\w./-]+)\)", TEXT))
    assert named == {
        "definitions",
        *(str(path.relative_to(EXAMPLES)) for path in [*DEFINITIONS, *EXAMPLES.glob("*.ndjson")]),
    }
