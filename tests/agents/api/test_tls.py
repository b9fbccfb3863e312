"""A worker with a certificate encrypts its port, and asks other workers only if it can check theirs."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from agents.api.peers import Peers
from agents.api.problems import ProblemError
from agents.api.tls import server_context
from agents.api.web_server import WebServer
from agents.metrics import Metrics
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings
from tests.agents.api.served import served
from tests.agents.known_tokens import TOKENS_FILE, token_of
from tests.certificates import Pair, certificate

SECONDS = 30.0


def with_certificate(folder: Path, authority: Pair, **more: Any) -> Settings:
    """The settings of a worker whose certificate the authority vouches for; `ca.pem` is the authority."""
    one = certificate("localhost", authority)
    (folder / "ca.pem").write_bytes(authority.certificate_pem)
    (folder / "tls.key").write_bytes(one.key_pem)
    (folder / "tls.crt").write_bytes(one.certificate_pem)
    given = {
        "data_dir": folder,
        "http_host": "127.0.0.1",
        "http_port": 0,
        "http_certificate_file": folder / "tls.crt",
        "http_key_file": folder / "tls.key",
        "http_ca_file": folder / "ca.pem",
        "api_tokens_file": TOKENS_FILE,
        "command_timeout_ms": 1_500,
    }
    return Settings(**{**given, **more})


def trusting(authority: Pair) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.certificate_pem.decode())


async def status(session: aiohttp.ClientSession, url: str, **options: Any) -> int:
    async with session.get(url, **options) as answer:
        return answer.status


def test_a_worker_with_a_certificate_is_asked_with_tls_only(tmp_path: Path) -> None:
    authority = certificate("authority")

    async def main() -> None:
        async with (
            served(with_certificate(tmp_path, authority)) as (api, port),
            aiohttp.ClientSession() as session,
        ):
            assert api.url == f"https://127.0.0.1:{port}"
            assert await status(session, f"{api.url}/health", ssl=trusting(authority)) == 200
            assert await status(session, f"{api.url}/api/v1/session", ssl=trusting(authority)) == 401
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await status(session, f"{api.url}/health", ssl=trusting(certificate("other")))
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                await status(session, f"http://127.0.0.1:{port}/health")

    asyncio.run(main())


def test_the_cookie_of_an_encrypted_worker_is_sent_encrypted_only(tmp_path: Path) -> None:
    authority = certificate("authority")

    async def main() -> None:
        async with (
            served(with_certificate(tmp_path, authority)) as (api, _),
            aiohttp.ClientSession() as session,
            session.post(
                f"{api.url}/api/v1/session", json={"token": token_of("ann")}, ssl=trusting(authority)
            ) as answer,
        ):
            assert answer.status == 200
            assert all(morsel["secure"] for morsel in answer.cookies.values())

    asyncio.run(main())


def test_a_replaced_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    first, second = certificate("first"), certificate("second")

    async def main() -> None:
        async with served(with_certificate(tmp_path, first)) as (api, _):
            with_certificate(tmp_path, second)
            for authority, accepted in ((second, True), (first, False)):
                async with aiohttp.ClientSession() as session:
                    if accepted:
                        assert await status(session, f"{api.url}/health", ssl=trusting(authority)) == 200
                    else:
                        with pytest.raises(aiohttp.ClientConnectorCertificateError):
                            await status(session, f"{api.url}/health", ssl=trusting(authority))

    asyncio.run(main())


def test_a_caller_who_does_not_finish_the_handshake_is_cut_off(tmp_path: Path) -> None:
    authority = certificate("authority")

    async def main() -> None:
        settings = with_certificate(tmp_path, authority, http_header_timeout_ms=300)
        async with served(settings) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            began = time.monotonic()
            assert await asyncio.wait_for(reader.read(), SECONDS) == b""
            assert time.monotonic() - began < SECONDS
            writer.close()

    asyncio.run(main())


async def _with_peer(settings: Settings, asking: Settings, do: Callable[[Peers], Awaitable[None]]) -> None:
    """Let a worker with the settings `asking` ask one with `settings`, which has all partitions."""
    async with served(settings, scheduler=SimpleNamespace(has=lambda _: True)) as (api, _):
        local: Any = SimpleNamespace(has=lambda _: False)
        progress: Any = SimpleNamespace(peer=lambda _: api.peer)
        peers = Peers(asking, local, progress)
        await peers.start()
        try:
            await do(peers)
        finally:
            await peers.stop()


async def _nobody(_: list[int]) -> Any:
    raise AssertionError


@pytest.mark.parametrize("known", [True, False])
def test_workers_ask_each_other_only_if_they_know_the_authority(tmp_path: Path, known: bool) -> None:
    authority = certificate("authority")
    settings = with_certificate(tmp_path, authority)
    other = tmp_path / "other.pem"
    other.write_bytes(certificate("other").certificate_pem)
    asking = settings if known else settings.model_copy(update={"http_ca_file": other})

    async def do(peers: Peers) -> None:
        request = SimpleNamespace(headers={})
        with pytest.raises(Exception) as error:  # noqa: PT011 - which one is what is tested
            # No such question: the other worker, if it can be asked, says so.
            await peers.ask(request, [0], _nobody, "/nothing", {})
        if known:
            assert getattr(error.value, "code", "") == "not_found"
        else:
            assert isinstance(error.value, ProblemError)
            assert error.value.code == "timeout"
            assert "certificate" in error.value.detail.lower()

    asyncio.run(_with_peer(settings, asking, do))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"http_key_file": None}, "set both or none"),
        ({"http_certificate_file": None}, "set both or none"),
        ({"advertised_url": "http://worker-1:8080"}, "must begin with https://"),
        ({"http_certificate_file": Path("/none")}, "are not readable PEM files"),
    ],
)
def test_settings_that_do_not_belong_together_are_named(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    settings = with_certificate(tmp_path, certificate("authority"), **changes)
    with pytest.raises(ConfigurationError, match=told):
        server_context(settings)
    with pytest.raises(ConfigurationError, match=told):
        WebServer(
            settings=settings, metrics=Metrics(), problem=lambda: None, observe=lambda: None, not_ready=list
        )
