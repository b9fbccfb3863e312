"""docs/soak.md says what the files of the runs say."""

from __future__ import annotations

from tests.soak.page import PAGE, RUNS, page, published


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(published())


def test_each_run_has_its_curves() -> None:
    for run in published():
        assert (RUNS / f"{run.name}.svg").read_text().startswith("<svg ")
