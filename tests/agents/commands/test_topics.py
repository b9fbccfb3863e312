"""`streamseg topics` before it connects to a broker."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from agents.commands.topics import topics


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
