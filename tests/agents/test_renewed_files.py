"""New connections use the files of their time, and those before while the new ones cannot be used."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from agents.kafka.connection import aiokafka_options, files_of, librdkafka_options
from agents.renewed_files import RenewedContext, RenewedPassword
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings
from tests.certificates import certificate


def authorities(context: ssl.SSLContext) -> set[str]:
    """The common names of the authorities that a new connection accepts."""
    used = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()).context
    return {dict(pair[0] for pair in one["subject"])["commonName"] for one in used.get_ca_certs()}  # type: ignore[misc]


def secured(folder: Path, **more: object) -> Settings:
    return Settings.model_validate({"security_protocol": "SSL", "ssl_ca_file": folder / "ca.pem", **more})


def test_a_changed_authority_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    first, second = certificate("first"), certificate("second")
    (tmp_path / "ca.pem").write_bytes(first.certificate_pem)
    context = aiokafka_options(secured(tmp_path))["ssl_context"]
    assert isinstance(context, RenewedContext)
    assert authorities(context) == {"first"}
    (tmp_path / "ca.pem").write_text("half")
    assert authorities(context) == {"first"}
    (tmp_path / "ca.pem").unlink()
    assert authorities(context) == {"first"}
    (tmp_path / "ca.pem").write_bytes(second.certificate_pem)
    assert authorities(context) == {"second"}


def test_a_certificate_whose_key_is_not_there_yet_waits_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = certificate("first"), certificate("second")
    (tmp_path / "ca.pem").write_bytes(first.certificate_pem)
    (tmp_path / "tls.crt").write_bytes(first.certificate_pem)
    (tmp_path / "tls.key").write_bytes(first.key_pem)
    pair = {"ssl_certificate_file": tmp_path / "tls.crt", "ssl_key_file": tmp_path / "tls.key"}
    settings = secured(tmp_path, **pair)
    context = aiokafka_options(settings)["ssl_context"]
    before = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()).context
    (tmp_path / "tls.crt").write_bytes(second.certificate_pem)
    for _ in range(3):
        assert context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()).context is before
    assert sum("use what was there before" in record.message for record in caplog.records) == 1
    (tmp_path / "tls.key").write_bytes(second.key_pem)
    assert context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()).context is not before
    options = librdkafka_options(settings)
    assert options["ssl.certificate.location"] == str(tmp_path / "tls.crt")
    assert options["ssl.key.location"] == str(tmp_path / "tls.key")
    assert files_of(settings) == [tmp_path / name for name in ("ca.pem", "tls.crt", "tls.key")]


@pytest.mark.parametrize("missing", ["ssl_certificate_file", "ssl_key_file"])
def test_a_certificate_and_its_key_are_set_together(tmp_path: Path, missing: str) -> None:
    one = certificate("one")
    (tmp_path / "ca.pem").write_bytes(one.certificate_pem)
    pair = {"ssl_certificate_file": tmp_path / "ca.pem", "ssl_key_file": tmp_path / "ca.pem"}
    settings = secured(tmp_path, **{**pair, missing: None})
    for client in (aiokafka_options, librdkafka_options):
        with pytest.raises(ConfigurationError, match="set both or none"):
            client(settings)


def test_a_password_is_read_again_for_each_login(tmp_path: Path) -> None:
    file = tmp_path / "password"
    login = {"sasl_username": "u", "sasl_password_file": file}
    settings = Settings.model_validate({"security_protocol": "SASL_PLAINTEXT", **login})
    with pytest.raises(ConfigurationError, match="STREAMSEG_SASL_PASSWORD_FILE"):
        aiokafka_options(settings)
    file.write_text("first\n")
    password = aiokafka_options(settings)["sasl_plain_password"]
    assert isinstance(password, RenewedPassword)
    assert (password, password.now()) == ("first", "first")
    file.write_text("second")
    assert password.now() == "second"
    assert librdkafka_options(settings)["sasl.password"] == "second"
    file.write_text("")
    assert password.now() == "first"
    with pytest.raises(ConfigurationError, match="is empty"):
        librdkafka_options(settings)
    with pytest.raises(ConfigurationError, match="not both"):
        aiokafka_options(Settings.model_validate({**settings.model_dump(), "sasl_password": "x"}))
