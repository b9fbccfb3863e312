"""Encryption of the API: the worker's certificate, and the authority by which workers know each other's."""

from __future__ import annotations

import ssl
from functools import partial

from agents.renewed_files import RenewedContext
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings


def scheme(settings: Settings) -> str:
    """Return the scheme of the worker's own addresses."""
    return "http" if settings.http_certificate_file is None else "https"


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the context for callers; None without a certificate. New connections use replaced files.

    Raises ConfigurationError if the settings do not belong together or a file cannot be read."""
    certificate, key = settings.http_certificate_file, settings.http_key_file
    if (certificate is None) != (key is None):
        raise ConfigurationError(
            "STREAMSEG_HTTP_CERTIFICATE_FILE and STREAMSEG_HTTP_KEY_FILE belong together: set both or none"
        )
    advertised = settings.advertised_url
    if advertised is not None and not advertised.lower().startswith(f"{scheme(settings)}://"):
        raise ConfigurationError(
            f"STREAMSEG_ADVERTISED_URL must begin with {scheme(settings)}://, as this worker serves"
        )
    if certificate is None or key is None:
        return None
    return RenewedContext(partial(_new_server_context, settings), (certificate, key))


def _new_server_context(settings: Settings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate, key = settings.http_certificate_file, settings.http_key_file
    try:
        # Without a password, OpenSSL would ask for that of an encrypted key at the terminal.
        context.load_cert_chain(str(certificate), key, password="")
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"STREAMSEG_HTTP_CERTIFICATE_FILE and STREAMSEG_HTTP_KEY_FILE: {certificate} and {key} are not "
            f"readable PEM files of a certificate and its key ({error})"
        ) from error
    return context


def peers_context(settings: Settings) -> ssl.SSLContext:
    """Return the context with which this worker asks others. Raises ConfigurationError if the authority's
    file cannot be read."""
    file = settings.http_ca_file
    return RenewedContext(partial(_new_peers_context, settings), () if file is None else (file,))


def _new_peers_context(settings: Settings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.http_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"STREAMSEG_HTTP_CA_FILE: {settings.http_ca_file} is not a readable PEM file of certificates "
            f"({error})"
        ) from error
