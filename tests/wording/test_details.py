"""Refusals in Chinese: every message that a caller or a user of the command line can get has a
translation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import paths
from streamseg.wording.details import DETAILS, detail

ROOT = Path(__file__).parents[2]
# Where people's input is judged; what is said of records goes into dead letters, in English.
FILES = [
    *sorted((ROOT / "schemas").glob("*.py")),
    *(ROOT / "streamseg" / f"{name}.py" for name in ("nesting", "times", "values")),
    ROOT / "streamseg" / "records" / "messages.py",
    *sorted((ROOT / "streamseg" / "language").glob("*.py")),
    ROOT / "streamseg" / "plan" / "definitions.py",
    *sorted((ROOT / "streamseg" / "catalogue").glob("*.py")),
    *sorted((ROOT / "streamseg" / "cli").glob("*.py")),
    *sorted((ROOT / "agents" / "api").glob("*.py")),
]
# Name of what raises or makes a refusal -> which argument is the message.
RAISERS = {
    "problem": 0,
    "_refusal": 0,
    "RejectedError": 1,
    "ProblemError": 1,
    "ConfigurationError": 0,
    "ValueError": 0,
}
# Faults of ours, or of what no caller sends.
INTERNAL = {
    "another layout",
    "a token has the form streamseg_ID_SECRET",
    "partition {} of {}",
    "{} partitions: there is at least one",
    "not the row of segment {}",
    "not the record of {}",
    "the record with key {}: {}",
    "{} is not a calendar unit",
    "cannot serve on {}:{} ({}); set STREAMSEG_HTTP_PORT to a free port, or 0 for any",
    # Two forms each, which are there.
    "{} is {}; {} does not go with that{}",
    "{}, which it refers to, {}",
}


def form(node: ast.expr) -> str | None:
    """A message with `{}` for what is filled in; None where it is no literal."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def messages() -> Iterator[tuple[str, str]]:
    """Every literal message with where it stands."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            given = node.args[RAISERS[name]] if name in RAISERS and len(node.args) > RAISERS[name] else None
            given = next((one.value for one in node.keywords if one.arg == "message"), given)
            message = None if given is None else form(given)
            at_start = message is not None and message.startswith("STREAMSEG_")
            if message and not at_start:
                yield message, f"{file.relative_to(ROOT)}:{node.lineno}"


def known(message: str) -> bool:
    said = message.replace("{}", "x")
    return message in DETAILS or detail(said, "zh") != said


def test_every_message_is_there_in_chinese() -> None:
    found = dict(messages())
    assert len(found) > 100
    assert {one: at for one, at in found.items() if one not in INTERNAL and not known(one)} == {}


@pytest.mark.parametrize(
    "message", [*paths._ADVICE.values(), "must have at least 1 item(s)", "must be one of x, y"]
)
def test_what_pydantic_finds_is_there_too(message: str) -> None:
    assert known(message)


@pytest.mark.parametrize(("english", "chinese"), DETAILS.items())
def test_both_languages_say_as_much(english: str, chinese: str) -> None:
    count = english.count("{}")
    assert len(re.findall(r"\{\d?\}", chinese)) == count
    pieces = [f"x{number}" for number in range(count)]
    told = detail(english.format(*pieces), "zh")
    assert all(piece in told for piece in pieces)
    assert told != english.format(*pieces)


def test_what_differs_is_filled_in() -> None:
    said = "must lie between 1 and 7, as a value of the unit weekday"
    assert detail(said, "zh") == "单位 weekday 的值必须在 1 到 7 之间"
    assert detail(said, "en") == said
    gt = "imported_at is a time; gt does not go with that; use after"
    assert detail(gt, "zh") == "imported_at 是时间，不能使用 gt；请使用 after"
    assert detail("something new", "zh") == "something new"


def test_a_long_message_is_not_looked_for() -> None:
    said = f"there is no segment {' is ' * 100_000}; define it first"
    assert detail(said, "zh") == said
