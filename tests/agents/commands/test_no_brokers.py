"""Commands on Kafka whose brokers do not answer: all of them say the same, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from streamseg.cli import app

NOBODY = "127.0.0.1:1"
COMMANDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("dead-letters", "erase"): ("c1",),
    ("record",): (),
    ("reset",): ("--dry-run",),
    ("state", "export"): ("--to", "new"),
    ("topics", "check"): (),
    ("topics", "create"): (),
}
"""Each command, with the arguments that it needs."""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_cause_is_told_once_with_the_address_and_what_to_check(
    command: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [*command, *COMMANDS[command], "--bootstrap", NOBODY, "--timeout", "1"])
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert re.fullmatch(
        rf"Error: cannot [a-z -]+ within 1 s: no Kafka answered at {NOBODY} \(.*Connection refused\); is it "
        r"running, and are the address \(STREAMSEG_BOOTSTRAP_SERVERS, --bootstrap\) and "
        r"STREAMSEG_SECURITY_PROTOCOL right\?",
        line,
    )
    # librdkafka writes to the process's own stderr.
    assert capfd.readouterr().err == ""


def every_command(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The commands below this one, with their names."""
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    context: Any = None
    for name in command.list_commands(context):
        yield from every_command(command.get_command(context, name), (*path, name))


def test_every_command_that_asks_brokers_is_tried() -> None:
    asking = {
        path
        for path, command in every_command(typer.main.get_group(app))
        if any("--bootstrap" in parameter.opts for parameter in command.params)
    }
    # A worker waits, a diagnosis notes what does not answer, an import begins with the files, and the lines
    # of rights are only printed.
    others = {("worker",), ("diagnose",), ("state", "import"), ("topics", "acls")}
    assert asking == COMMANDS.keys() | others
