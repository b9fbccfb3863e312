"""Shows until when the certificates in the worker's files are valid, so that none ends unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from cryptography.x509 import load_pem_x509_certificates

from agents.renewed_files import FileState, states_of
from streamseg.settings import Settings


class _Watched(NamedTuple):
    setting: str
    file: Path
    end: Callable[[Iterable[float]], float]


class CertificateEnds:
    """Reads the files again once they have changed, as new connections do."""

    def __init__(self, settings: Settings, show: Callable[[str, float], None]) -> None:
        """`show` gets the name of a setting and the end of its file's certificates, in epoch seconds."""
        self._show = show
        self._watched = list(_files(settings))
        self._seen: dict[str, FileState] = {}

    def observe(self) -> None:
        """Show the end of each file. A file that cannot be read now keeps the end that it had, since
        connections go on with what was there before."""
        for setting, file, end in self._watched:
            (state,) = states_of([file])
            if self._seen.get(setting) == state:
                continue
            self._seen[setting] = state
            try:
                found = load_pem_x509_certificates(file.read_bytes())
            except (OSError, ValueError):
                continue
            self._show(setting, end(one.not_valid_after_utc.timestamp() for one in found))


def _files(settings: Settings) -> Iterable[_Watched]:
    """A certificate and those between it and its authority are needed together, so the first end counts. Of
    authorities, the old one stays in the file beside the new one for a while, so the last end counts."""
    chains = {"HTTP_CERTIFICATE_FILE": settings.http_certificate_file}
    authorities = {"HTTP_CA_FILE": settings.http_ca_file}
    if settings.uses_ssl:
        chains["SSL_CERTIFICATE_FILE"] = settings.ssl_certificate_file
        authorities["SSL_CA_FILE"] = settings.ssl_ca_file
    for files, end in ((chains, min), (authorities, max)):
        for name, file in files.items():
            if file is not None:
                yield _Watched(f"STREAMSEG_{name}", file, end)
