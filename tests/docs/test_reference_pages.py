"""The pages of settings, metrics and the Python package are those that the code makes, and miss none."""

from __future__ import annotations

import doctest
import re
from importlib.metadata import version
from pathlib import Path

import streamseg
from agents import asyncapi, reference_pages
from agents.metrics import Metrics
from streamseg.settings import Settings
from tests.docs.pages import DOCS


def test_the_pages_are_current() -> None:
    assert reference_pages.stale() == []
    assert reference_pages.main(["--check"]) == 0


def test_a_page_that_differs_is_stale(tmp_path: Path) -> None:
    (tmp_path / "settings.md").write_text(reference_pages.settings_page(), encoding="utf-8")
    (tmp_path / "python.md").write_text(reference_pages.python_page(), encoding="utf-8")
    (tmp_path / "asyncapi.json").write_text(asyncapi.render(), encoding="utf-8")
    (tmp_path / "metrics.md").write_text("something else", encoding="utf-8")
    assert reference_pages.stale(tmp_path) == ["metrics.md"]


def test_every_setting_stands_on_the_page_once_with_what_it_means() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `STREAMSEG_(\w+)` \| (.+?) \| (.+) \|$", text, re.M)
    assert sorted(name.lower() for name, *_ in rows) == sorted(Settings.model_fields)
    assert all(field.description for field in Settings.model_fields.values())


def test_every_metric_stands_on_the_page() -> None:
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    shown = Metrics().exposition().decode()
    for family in re.findall(r"^# TYPE (streamseg_\w+) ", shown, re.M):
        assert re.search(rf"^\| `{family}(_total)?` \|", text, re.M), family


def test_every_public_name_stands_on_the_page_and_is_described() -> None:
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    names = [name for name in streamseg.__all__ if name != "__version__"]
    assert re.findall(r"^## (\w+)$", text, re.M) == names
    assert all(getattr(streamseg, name).__doc__ for name in names)


def test_the_example_of_the_package_runs() -> None:
    result = doctest.testmod(streamseg)
    assert (result.failed, result.attempted > 5) == (0, True)


def test_the_version_is_that_of_the_installation() -> None:
    assert streamseg.__version__ == version("streamseg")
