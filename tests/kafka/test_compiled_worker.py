"""A worker in the compiled form, on real Kafka."""

from __future__ import annotations

from pathlib import Path

from tests.compiled_runs import run_tests

TEST = "tests/kafka/test_worker.py::test_a_catch_up_gives_what_a_replay_gives"


def test_a_compiled_worker_does_the_same(compiled_checkout: Path, bootstrap: str) -> None:
    run_tests(compiled_checkout, TEST, STREAMSEG_TEST_BOOTSTRAP=bootstrap)
