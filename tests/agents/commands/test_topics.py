"""`streamseg topics` before it connects to a broker."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from agents.commands.topics import topics
from agents.kafka.rights import Role


@pytest.mark.parametrize("command", ["create", "check"])
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PARTITIONS", "0", "must be greater than 0"),
        ("SMS_WINDOW__TIMEZONE", "Mars", "'Mars' is not an IANA time zone, such as Asia/Shanghai"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_a_line(command: str, name: str, value: str, told: str) -> None:
    result = CliRunner().invoke(topics, [command], env={f"STREAMSEG_{name}": value})
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: STREAMSEG_{name}: {told}\n"


@pytest.mark.parametrize("role", Role)
def test_the_help_says_who_has_a_role(role: Role) -> None:
    acls = typer.main.get_group(topics).commands["acls"]
    (told,) = (parameter.help for parameter in acls.params if "--role" in parameter.opts)  # type: ignore[attr-defined]
    assert role in told
