"""docs/replay.md: its lines are records, and its commands print what it shows."""

from __future__ import annotations

import re
import shlex

import orjson
import pytest
import typer
from typer.testing import CliRunner

from streamseg.cli import app
from streamseg.replay import Replay
from streamseg.settings import Settings
from tests.docs.pages import DOCS, below, section

PAGE = "replay.md"
TEXT = (DOCS / PAGE).read_text(encoding="utf-8")
README = (DOCS.parent / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```\n\$ (streamseg [^\n]*)\n(.*?)^```$", TEXT, re.M | re.S)
COMMANDS = [command for command, _ in SHOWN] + re.findall(
    r"^streamseg (?:replay|explain) [^#\n]*", README, re.M
)


def test_the_lines_are_taken() -> None:
    refused: list[str] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda _, letter: refused.append(letter.message))
    for block in section(PAGE, "The file").json:
        run.line(orjson.dumps(block))
    assert not refused
    assert [change.wire()["change"] for change in run.changes] == ["entered"]


@pytest.fixture
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DOCS.parent)
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    for name in ("STREAMSEG_LANG", "STREAMSEG_TIMEZONE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_the_commands_print_what_is_shown(command: str, output: str) -> None:
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert (result.exit_code, result.stderr) == (0, "")
    # Where a line is wrapped, a terminal has blanks that no page keeps.
    assert [line.rstrip() for line in result.stdout.splitlines()] == output.splitlines()


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_run(command: str) -> None:
    assert CliRunner().invoke(app, shlex.split(command)[1:]).exit_code == 0


@pytest.mark.parametrize(
    ("name", "title"), [("replay", "What comes out"), ("record", "A file from a running installation")]
)
def test_the_table_has_every_option(name: str, title: str) -> None:
    rows = [row[0] for part in below(PAGE, title) for row in part.rows]
    assert {re.findall(r"--\w+", row)[0] for row in rows} == options(name) - {"--help"}


def options(name: str) -> set[str]:
    """The long options of a command."""
    group = typer.main.get_group(app)
    command = group.get_command(typer.Context(group), name)
    assert command is not None
    return {option for parameter in command.params for option in parameter.opts if option.startswith("--")}


def test_the_commands_that_record_have_their_options() -> None:
    (block,) = re.findall(r"^```bash\n(.*?)^```$", TEXT, re.M | re.S)
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        assert words[0] == "streamseg"
        assert {word for word in words if word.startswith("--")} <= options(words[1]), line
