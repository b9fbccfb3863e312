"""Until when certificates are valid, as the metric shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.certificate_ends import CertificateEnds
from streamseg.settings import Settings
from tests.certificates import Pair, certificate

AUTHORITY = certificate("authority", days=30)
EARLY, LATE = certificate("early", AUTHORITY, days=3), certificate("late", AUTHORITY, days=20)


def end_of(pair: Pair) -> float:
    return pair.certificate.not_valid_after_utc.timestamp()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "tls.pem"
    written.write_bytes(LATE.certificate_pem + EARLY.certificate_pem)
    return written


def shown_by(**settings: Any) -> tuple[CertificateEnds, dict[str, float]]:
    shown: dict[str, float] = {}
    return CertificateEnds(Settings(**settings), shown.__setitem__), shown


@pytest.mark.parametrize(
    ("setting", "counts"),
    [
        ("http_certificate_file", EARLY),
        ("http_ca_file", LATE),
        ("ssl_certificate_file", EARLY),
        ("ssl_ca_file", LATE),
    ],
)
def test_of_several_in_a_file_the_one_that_matters_is_shown(file: Path, setting: str, counts: Pair) -> None:
    ends, shown = shown_by(security_protocol="SSL", **{setting: file})
    ends.observe()
    assert shown == {f"STREAMSEG_{setting.upper()}": end_of(counts)}


def test_without_a_file_in_use_nothing_is_shown(file: Path) -> None:
    ends, shown = shown_by(ssl_ca_file=file)
    ends.observe()
    assert shown == {}


def test_a_replaced_file_is_read_again_and_an_unreadable_one_changes_nothing(file: Path) -> None:
    ends, shown = shown_by(http_certificate_file=file)
    ends.observe()
    file.write_text("half of a certifi")
    ends.observe()
    assert shown == {"STREAMSEG_HTTP_CERTIFICATE_FILE": end_of(EARLY)}
    fresh = file.with_suffix(".new")
    fresh.write_bytes(LATE.certificate_pem)
    fresh.replace(file)
    ends.observe()
    assert shown == {"STREAMSEG_HTTP_CERTIFICATE_FILE": end_of(LATE)}


def test_a_file_that_comes_later_is_shown_from_then_on(tmp_path: Path) -> None:
    ends, shown = shown_by(http_certificate_file=tmp_path / "tls.pem")
    ends.observe()
    assert shown == {}
    (tmp_path / "tls.pem").write_bytes(EARLY.certificate_pem)
    ends.observe()
    assert shown == {"STREAMSEG_HTTP_CERTIFICATE_FILE": end_of(EARLY)}
