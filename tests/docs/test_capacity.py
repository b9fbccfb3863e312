"""The page on capacity has the measured figures, and its arithmetic is that of the examples."""

from __future__ import annotations

import re

import pytest

from agents import reference_pages
from benchmarks import capacity_page
from benchmarks.capacity_figures import Measured, read
from tests.docs.pages import DOCS

PAGE = DOCS.parent / "deploy" / "capacity.md"
FIGURES = {
    "idle_memory_bytes": 100.0,
    "idle_core": 0.1,
    "segment_memory_bytes": 1.0,
    "partition_memory_bytes": 10.0,
    "contact_memory_bytes": 0.5,
    "contact_state_bytes": 300.0,
    "contact_changelog_bytes": 200.0,
    "contact_output_bytes": 20.0,
    "record_state_bytes": 50.0,
    "record_changelog_bytes": 10.0,
    "live_rate": 1_000.0,
    "live_core": 0.3,
    "live_input_bytes_s": 1_000.0,
    "live_output_bytes_s": 100.0,
    "live_changelog_bytes_s": 2_000.0,
    "live_received_bytes_s": 1_500.0,
    "start_cpu_seconds": 2.0,
    "recovery_cpu_seconds": 12.0,
    "recovery_peak_bytes": 300.0,
    "recovery_changelog_bytes": 1_000.0,
    "sweep_cpu_us": 100.0,
}


def test_the_tables_of_the_page_are_those_of_the_measured_figures() -> None:
    """If this fails: `make pages`."""
    assert capacity_page.main(["--check"]) == 0


def test_another_figure_makes_the_page_stale() -> None:
    kept = read()
    page = PAGE.read_text(encoding="utf-8")
    assert capacity_page.filled(page, kept) == page
    name, measured = next((one, run) for one, run in kept.items() if "contact_state_bytes" in run.figures)
    changed = {**measured.figures, "contact_state_bytes": [123_456.0]}
    other = Measured(**{**vars(measured), "figures": changed})
    assert "123,456 bytes" in capacity_page.filled(page, {**kept, name: other})


def test_each_measurement_says_how_when_and_with_what_load_it_was_made() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## How it was measured")[2]
    for measured in read().values():
        assert measured.command in text
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", measured.date)
        assert f"{measured.date}, commit {measured.commit}" in text
        assert measured.loads


def test_a_part_that_the_page_lacks_is_named() -> None:
    with pytest.raises(ValueError, match="no part costs"):
        capacity_page.filled("# Capacity", read())


def test_what_an_installation_needs_is_computed_as_the_page_says() -> None:
    measured = Measured("", "", "", "", [], {}, {name: [value] for name, value in FIGURES.items()})
    need = capacity_page.need(
        measured, contacts=1_000, events_s=4_000, kept_events=20, partitions=12, segments=7
    )
    assert need.cores == pytest.approx(0.8)
    # 0.8 / (0.5 - 0.1), and one in reserve.
    assert need.workers == 3
    # 100 + 7 segments + 4 partitions + a third of 1,000 contacts, twice.
    assert need.memory == pytest.approx(2 * (100 + 7 + 40 + 0.5 * 1_000 / 3))
    assert capacity_page.need(
        measured, contacts=1, events_s=1, kept_events=0, partitions=1, segments=1
    ).memory == pytest.approx(1.5 * 300)
    assert need.disk == pytest.approx(2 * 1_000 * (300 + 20 * 50))
    week = 7 * 86_400
    changelog = 1.25 * 1_000 * (200 + 20 * 10) + 12 * (128 << 20)
    assert need.changelog == pytest.approx(changelog)
    assert need.storage == pytest.approx(3 * (week * 4 * 1_100 + 1_000 * 20 + changelog))
    assert need.traffic == pytest.approx(3 * 4 * 3_100 + 4 * 1_500)
    assert need.recovery == pytest.approx(2 + 10 / 1_000 * changelog / 3)
    assert need.sweep == pytest.approx(0.1 / 3)


def test_metrics_and_alerts_on_the_page_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    known = {family.name for family in reference_pages.families()}
    named = set(re.findall(r"`?(streamseg_[a-z_]+)", text))
    assert named
    assert named <= known
