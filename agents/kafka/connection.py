"""The connection settings of the Kafka clients: encryption and login, the same for all three clients.

Files of certificates and passwords may be replaced while a worker runs. aiokafka's clients, Faust's too, use
the files of the moment for each new connection. librdkafka reads them when a client is made, so a client that
lives long is made again when they change (`files_of`).
"""

from __future__ import annotations

import ssl
from functools import partial
from pathlib import Path
from typing import Any

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from agents.kafka.compatibility import use_passwords_of_the_moment
from agents.renewed_files import RenewedContext, RenewedPassword
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

use_passwords_of_the_moment()


def aiokafka_options(settings: Settings) -> dict[str, Any]:
    """Return the options for AIOKafkaProducer and AIOKafkaConsumer. Raises ConfigurationError if a login is
    incomplete or a file cannot be read."""
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
    """Return the options for confluent_kafka's clients. Raises as `aiokafka_options`.

    The clients write no log: librdkafka would write each attempt to connect to stderr. Whoever makes a client
    reports its trouble once (`agents.kafka.client_errors`, `agents.kafka.broker_watch`)."""
    options = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "log_level": "0",
    }
    if settings.uses_ssl:
        # Read here too, so that a wrong file has the same error for all clients.
        _new_context(settings)
        if settings.ssl_ca_file is not None:
            options["ssl.ca.location"] = str(settings.ssl_ca_file)
        if settings.ssl_certificate_file is not None:
            options["ssl.certificate.location"] = str(settings.ssl_certificate_file)
            options["ssl.key.location"] = str(settings.ssl_key_file)
    if settings.uses_sasl:
        username, password = _login(settings)
        options |= {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": username,
            "sasl.password": str(password),
        }
    return options


def files_of(settings: Settings) -> list[Path]:
    """Return the files that a connection needs."""
    found = []
    if settings.uses_ssl:
        found += [settings.ssl_ca_file, settings.ssl_certificate_file, settings.ssl_key_file]
    if settings.uses_sasl:
        found.append(settings.sasl_password_file)
    return [file for file in found if file is not None]


def _ssl_context(settings: Settings) -> ssl.SSLContext | None:
    if not settings.uses_ssl:
        return None
    return RenewedContext(partial(_new_context, settings), files_of(settings))


def _new_context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"STREAMSEG_SSL_CA_FILE: {settings.ssl_ca_file} is not a readable PEM file of certificates "
            f"({error})"
        ) from error
    certificate, key = settings.ssl_certificate_file, settings.ssl_key_file
    if (certificate is None) != (key is None):
        raise ConfigurationError(
            "STREAMSEG_SSL_CERTIFICATE_FILE and STREAMSEG_SSL_KEY_FILE belong together: set both or none"
        )
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"STREAMSEG_SSL_CERTIFICATE_FILE and STREAMSEG_SSL_KEY_FILE: {certificate} and {key} are not "
                f"readable PEM files of a certificate and its key ({error})"
            ) from error
    return context


def _no_password() -> str:
    # Without this, OpenSSL would ask for the password of an encrypted key at the terminal.
    return ""


def _login(settings: Settings) -> tuple[str, str]:
    file, password = settings.sasl_password_file, settings.sasl_password
    if file is not None and password is not None:
        raise ConfigurationError("set STREAMSEG_SASL_PASSWORD or STREAMSEG_SASL_PASSWORD_FILE, not both")
    if settings.sasl_username and file is not None:
        return settings.sasl_username, RenewedPassword(partial(_password_in, file))
    if not settings.sasl_username or password is None:
        raise ConfigurationError(
            f"STREAMSEG_SECURITY_PROTOCOL is {settings.security_protocol}: "
            "set STREAMSEG_SASL_USERNAME and STREAMSEG_SASL_PASSWORD_FILE too"
        )
    return settings.sasl_username, password.get_secret_value()


def _password_in(file: Path) -> str:
    try:
        password = file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"STREAMSEG_SASL_PASSWORD_FILE: {file} cannot be read ({type(error).__name__})"
        ) from error
    if not password:
        raise ConfigurationError(f"STREAMSEG_SASL_PASSWORD_FILE: {file} is empty")
    return password
