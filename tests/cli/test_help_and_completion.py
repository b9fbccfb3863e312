"""Help of every command over the API, and completion in shells."""

from __future__ import annotations

from importlib.metadata import version

import httpx
import pytest
from typer.testing import CliRunner

from streamseg.build_form import BUILD_FORM
from streamseg.cli import app
from tests.cli.conftest import Run
from tests.cli.fake_api import FakeApi

COMMANDS = [
    *(
        ("segments", name)
        for name in (
            "list", "show", "create", "edit", "copy", "delete", "versions", "revert", "restore", "move",
            "share", "calculate", "contacts", "explain", "changes", "preview", "apply",
        )
    ),
    *(("groups", name) for name in ("list", "create", "rename", "delete")),
    *(("contacts", name) for name in ("search", "show", "timeline")),
    ("lists", "import"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example_and_the_shared_options(run: Run, command: tuple[str, str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert f"Example: streamseg {' '.join(command)}" in result.stdout
    for option in ("--json", "--lang", "--url", "--token", "--account"):
        assert option in result.stdout


def complete(line: str, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What bash would offer at the end of a line."""
    words = line.split(" ")
    monkeypatch.setenv("_STREAMSEG_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    transport = httpx.MockTransport(api.handle)
    return CliRunner().invoke(app, [], prog_name="streamseg", obj=transport).stdout.split()


def test_a_shell_completes_commands(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    assert complete("streamseg segm", api, monkeypatch) == ["segments"]
    assert complete("streamseg segments ap", api, monkeypatch) == ["apply"]
    assert complete("streamseg wor", api, monkeypatch) == ["worker"]


def test_a_shell_completes_the_ids_of_segments(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.add("cn-members")
    api.add("cn-buyers")
    api.add("push")
    assert complete("streamseg segments show cn-", api, monkeypatch) == ["cn-buyers", "cn-members"]
    monkeypatch.setenv("STREAMSEG_API_TOKEN", "t1")
    assert complete("streamseg segments delete push cn-m", api, monkeypatch) == ["cn-members"]
    assert api.headers[-1]["Authorization"] == "Bearer t1"


def test_a_shell_completes_nothing_where_no_worker_answers(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: httpx.Request) -> None:
        raise httpx.ConnectError("refused")

    api.intercept = fail
    assert complete("streamseg segments show cn-", api, monkeypatch) == []


def test_completion_can_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Typer looks for the shell among the parents of this process, which may have none.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    result = CliRunner().invoke(app, ["--show-completion", "bash"], prog_name="streamseg")
    assert result.exit_code == 0
    assert "_STREAMSEG_COMPLETE=complete_bash" in result.stdout
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).stdout


def test_the_version_names_the_form() -> None:
    told = CliRunner().invoke(app, ["--version"]).stdout
    assert told == f"{version('streamseg')} ({BUILD_FORM})\n"
