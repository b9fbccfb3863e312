"""The first segment of README.md: a definition that is taken, commands and requests that exist."""

from __future__ import annotations

import json
import re
import shlex

from schemas.definitions import SegmentDefinition
from tests.docs.pages import DOCS
from tests.docs.test_api import PATHS
from tests.docs.test_command_line import options

README = (DOCS.parent / "README.md").read_text(encoding="utf-8")
(FIRST,) = re.findall(r"^## Your first segment\n(.*?)^## ", README, re.M | re.S)


def test_the_definition_is_valid() -> None:
    (definition,) = re.findall(r"<<'END'\n(.*?)^END$", FIRST, re.M | re.S)
    assert SegmentDefinition.model_validate(json.loads(definition)).segment_id == "recent"


def test_the_commands_have_these_options() -> None:
    commands = [shlex.split(line, comments=True) for line in re.findall(r"^streamseg .*$", FIRST, re.M)]
    assert commands
    for words in commands:
        assert {word for word in words if word.startswith("--")} <= options(words[1], words[2])


def test_the_requests_exist() -> None:
    paths = [path.replace("/recent", "/{segment_id}") for path in re.findall(r"\$api(/[\w/]+)", FIRST)]
    assert len(paths) == 4
    assert set(paths) <= PATHS.keys()
