"""docs/DEPENDENCIES.md has one line for each dependency, in the order of pyproject.toml and of
console/package.json."""

from __future__ import annotations

import json
import re
import tomllib

from tests.docs.pages import DOCS, sections


def test_each_dependency_has_one_line() -> None:
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    page_code = json.loads((DOCS.parent / "console" / "package.json").read_text(encoding="utf-8"))
    wanted += page_code["dependencies"]
    wanted += project["optional-dependencies"]["console"]
    # Types of other libraries need no line of their own.
    wanted += [name for name in page_code["devDependencies"] if not name.startswith("@types/")]
    (page,) = sections("DEPENDENCIES.md")
    assert [row[0] for row in page.rows] == [re.split(r"[\[<>=~]", one)[0] for one in wanted]
