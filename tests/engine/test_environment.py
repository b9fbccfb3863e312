"""A misspelt variable is named with the one that was meant."""

from __future__ import annotations

import pytest

from streamseg.environment import unknown_variables
from streamseg.settings import Settings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("STREAMSEG_PARTITION", "did you mean STREAMSEG_PARTITIONS?"),
        ("STREAMSEG_BOOTSTRAP_SERVER", "did you mean STREAMSEG_BOOTSTRAP_SERVERS?"),
        ("STREAMSEG_TIMEZOME", "did you mean STREAMSEG_TIMEZONE?"),
        ("STREAMSEG_EMAIL_WINDOW_LENGTH", "did you mean STREAMSEG_EMAIL_WINDOW__LENGTH?"),
        ("streamseg_datadir", "did you mean STREAMSEG_DATA_DIR?"),
        ("STREAMSEG_COLOUR", "see docs/settings.md for those that are"),
    ],
)
def test_a_variable_that_sets_nothing_is_told_with_what_was_meant(name: str, meant: str) -> None:
    assert unknown_variables([name]) == [f"{name.upper()} is not a setting and is not read; {meant}"]


def test_what_is_read_by_anything_of_ours_is_not_told() -> None:
    names = [f"STREAMSEG_{name.upper()}" for name in Settings.model_fields]
    others = ["STREAMSEG_SMS_WINDOW__TIMEZONE", "STREAMSEG_API_URL", "STREAMSEG_LANG", "STREAMSEG_KAFKA_HEAP"]
    assert unknown_variables([*names, *others, "streamseg_partitions", "PATH", "KAFKA_HEAP"]) == []
