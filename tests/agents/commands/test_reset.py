"""`streamseg reset` deletes only what was confirmed, and says that it deleted only afterwards."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from agents.export.resetting import Found
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

module = import_module("agents.commands.reset")
FOUND = Found(
    {"streamseg-contacts-changelog": 12}, {"streamseg": {"contact-updates/0": 7}}, "streamseg-catalogue"
)


class Installation:
    """In the place of what an installation has on Kafka."""

    def __init__(self) -> None:
        self.deleted = False
        self.refuses = False

    def look(self, settings: Settings, **_: Any) -> Found:
        return FOUND

    def delete(self, settings: Settings, found: Found, **_: Any) -> None:
        if self.refuses:
            raise ConfigurationError("the brokers refuse")
        self.deleted = True


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> Installation:
    made = Installation()
    monkeypatch.setattr(module, "look", made.look)
    monkeypatch.setattr(module, "delete_all", made.delete)
    return made


def run(*arguments: str, answer: str = "") -> Result:
    single = typer.Typer(add_completion=False)
    single.command()(module.reset)
    return CliRunner().invoke(single, arguments, input=answer)


def test_json_asks_no_question(installation: Installation) -> None:
    done = run("--json", answer="y\n")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: --json asks no question: add --yes or --dry-run\n"
    assert not installation.deleted


@pytest.mark.parametrize(("option", "deleted"), [("--yes", True), ("--dry-run", False)])
def test_json_says_what_was_done(installation: Installation, option: str, deleted: bool) -> None:
    done = run("--json", option)
    assert done.exit_code == 0
    assert orjson.loads(done.stdout) == {**FOUND._asdict(), "deleted": deleted}
    assert installation.deleted is deleted
    assert ("deleted; next: " in done.stderr) is deleted


def test_json_does_not_say_that_it_deleted_what_could_not_be_deleted(installation: Installation) -> None:
    installation.refuses = True
    done = run("--json", "--yes")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "Error: the brokers refuse\n")


@pytest.mark.parametrize(("answer", "deleted"), [("y\n", True), ("n\n", False), ("", False)])
def test_the_question_is_not_among_the_results(
    installation: Installation, answer: str, deleted: bool
) -> None:
    done = run(answer=answer)
    assert done.exit_code == (0 if deleted else 1)
    assert installation.deleted is deleted
    assert "topic streamseg-contacts-changelog: 12 records" in done.stdout
    assert "Delete all of it?" not in done.stdout
    assert "Delete all of it?" in done.stderr
    assert ("deleted; next: " in done.stderr) is deleted
