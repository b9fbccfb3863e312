"""The page on the command line: every command is there, and what it shows works."""

from __future__ import annotations

import re
import shlex

import typer
import yaml
from typer.core import TyperGroup

from schemas.definitions import SegmentDefinition
from streamseg.cli import app
from tests.docs.pages import DOCS, section

PAGE = "command-line.md"
ROOMS = ("segments", "groups", "contacts", "lists")
TEXT = (DOCS / PAGE).read_text(encoding="utf-8")
COMMANDS = {
    (group.typer_instance.info.name, command.name): command
    for group in app.registered_groups
    if group.typer_instance is not None
    for command in group.typer_instance.registered_commands
}


def options(room: str, name: str) -> set[str]:
    """The long options of a command."""
    group = typer.main.get_group(app).commands[room]
    assert isinstance(group, TyperGroup)
    command = group.commands[name]
    return {option for parameter in command.params for option in parameter.opts if option.startswith("--")}


def test_the_table_has_every_command_and_only_those() -> None:
    named = [re.match(r"`(\w+) (\w+)", row[0]) for row in section(PAGE, "All commands").rows]
    assert [match.groups() for match in named if match] == list(COMMANDS)
    assert {room for room, _ in COMMANDS} == set(ROOMS)


def test_the_table_names_options_that_exist() -> None:
    for usage, meaning in section(PAGE, "All commands").rows:
        room, name = usage.strip("`").split()[:2]
        assert set(re.findall(r"--\w[\w-]*", usage + meaning)) - {"--json"} <= options(room, name), usage


def test_every_example_is_a_command_with_its_options() -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```$", TEXT, re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines() if line]
    assert lines
    for line in lines:
        words = shlex.split(line, comments=True)
        assert words[0] == "streamseg"
        assert {word for word in words if word.startswith("--")} <= options(words[1], words[2]), line


def test_the_first_segment_is_a_valid_definition() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.M | re.S)
    SegmentDefinition.model_validate(yaml.safe_load(block))
