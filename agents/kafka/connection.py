"""The connection settings of the Kafka clients: encryption and login, the same for all three clients."""

from __future__ import annotations

import ssl
from typing import Any

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from streamseg.errors import ConfigurationError
from streamseg.settings import Settings


def aiokafka_options(settings: Settings) -> dict[str, Any]:
    """Return the options for AIOKafkaProducer and AIOKafkaConsumer. Raises ConfigurationError if a login is
    incomplete or the CA file cannot be read."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
        "ssl_context": _ssl_context(settings),
    }
    if settings.uses_sasl:
        username, password = _login(settings)
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": username,
            "sasl_plain_password": password,
        }
    return options


def faust_credentials(settings: Settings) -> CredentialsT | None:
    """Return the credentials for Faust's own consumer and producer. Raises as `aiokafka_options`."""
    context = _ssl_context(settings)
    if settings.uses_sasl:
        username, password = _login(settings)
        return SASLCredentials(
            username=username, password=password, mechanism=settings.sasl_mechanism, ssl_context=context
        )
    return None if context is None else SSLCredentials(context=context)


def librdkafka_options(settings: Settings) -> dict[str, str]:
    """Return the options for confluent_kafka's clients. Raises as `aiokafka_options`."""
    options = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
    }
    if settings.ssl_ca_file is not None:
        options["ssl.ca.location"] = str(settings.ssl_ca_file)
    if settings.uses_sasl:
        username, password = _login(settings)
        options |= {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": username,
            "sasl.password": password,
        }
    return options


def _ssl_context(settings: Settings) -> ssl.SSLContext | None:
    if not settings.uses_ssl:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ssl_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"STREAMSEG_SSL_CA_FILE: {settings.ssl_ca_file} is not a readable PEM file of certificates "
            f"({error})"
        ) from error


def _login(settings: Settings) -> tuple[str, str]:
    if not settings.sasl_username or settings.sasl_password is None:
        raise ConfigurationError(
            f"STREAMSEG_SECURITY_PROTOCOL is {settings.security_protocol}: "
            "set STREAMSEG_SASL_USERNAME and STREAMSEG_SASL_PASSWORD too"
        )
    return settings.sasl_username, settings.sasl_password.get_secret_value()
