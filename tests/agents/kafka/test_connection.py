"""One set of settings reaches a secured cluster through each of the three clients."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from faust.auth import SASLCredentials, SSLCredentials

from agents.kafka.connection import aiokafka_options, faust_credentials, librdkafka_options
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings


def secured(protocol: str, **more: object) -> Settings:
    given = {"sasl_mechanism": "PLAIN", "sasl_username": "seg", "sasl_password": "secret", **more}
    return Settings.model_validate({"security_protocol": protocol, **given})


def test_without_security_nothing_is_asked() -> None:
    settings = Settings(bootstrap_servers="a:1,b:2")
    assert aiokafka_options(settings) == {
        "bootstrap_servers": "a:1,b:2",
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
    }
    assert faust_credentials(settings) is None
    assert librdkafka_options(settings) == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "PLAINTEXT",
        "log_level": "0",
    }


@pytest.mark.parametrize(("protocol", "encrypted"), [("SASL_PLAINTEXT", False), ("SASL_SSL", True)])
def test_a_login_reaches_every_client(protocol: str, encrypted: bool) -> None:
    settings = secured(protocol)
    options = aiokafka_options(settings)
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("seg", "secret")
    assert (options["security_protocol"], options["sasl_mechanism"]) == (protocol, "PLAIN")
    assert isinstance(options["ssl_context"], ssl.SSLContext) is encrypted
    credentials = faust_credentials(settings)
    assert isinstance(credentials, SASLCredentials)
    assert (credentials.username, credentials.password) == ("seg", "secret")
    assert credentials.protocol.value == protocol
    assert credentials.mechanism.value == "PLAIN"
    assert librdkafka_options(settings).items() >= {
        ("security.protocol", protocol),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "seg"),
        ("sasl.password", "secret"),
    }


def test_encryption_alone_needs_no_login() -> None:
    settings = Settings(security_protocol="SSL")
    assert isinstance(faust_credentials(settings), SSLCredentials)
    assert "sasl_mechanism" not in aiokafka_options(settings)


def test_a_ca_file_that_is_none_is_named(tmp_path: Path) -> None:
    settings = Settings(security_protocol="SSL", ssl_ca_file=tmp_path / "none.pem")
    with pytest.raises(ConfigurationError, match="STREAMSEG_SSL_CA_FILE"):
        aiokafka_options(settings)


def test_a_login_that_is_incomplete_is_named() -> None:
    settings = secured("SASL_SSL", sasl_password=None)
    for client in (aiokafka_options, faust_credentials, librdkafka_options):
        with pytest.raises(ConfigurationError, match="STREAMSEG_SASL_PASSWORD"):
            client(settings)


def test_the_password_does_not_show_in_the_settings() -> None:
    assert "secret" not in repr(secured("SASL_SSL"))
