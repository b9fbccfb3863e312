"""A broker with listeners that want certificates or logins, started by deploy/kafka.sh."""

from __future__ import annotations

import random
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.certificates import Pair

SECONDS: Final = 180.0
HOST: Final = "127.0.0.1"


class SecuredBroker:
    """One broker: `inside` takes everybody, and each of its other listeners what its settings say."""

    def __init__(self, script: Path, folder: Path, protocols: Mapping[str, str]) -> None:
        """`protocols` gives each further listener (`LOGIN`) its protocol (`SASL_SSL`)."""
        self.folder = folder
        self._script = script
        self._port = _free_ports(1 + len(protocols))
        self.inside = f"{HOST}:{self._port}"
        self._ports = {name: self._port + 1 + place for place, name in enumerate(protocols)}
        self._protocols = protocols

    def address(self, listener: str) -> str:
        """Return the address of a further listener."""
        return f"{HOST}:{self._ports[listener]}"

    def start(self, properties: Mapping[str, object]) -> None:
        """Start it with these settings beside those of the script, and wait until it answers."""
        file = self.folder / "test.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        listeners: list[str] = []
        for name, protocol in self._protocols.items():
            listeners += ["--listener", f"{name}:{protocol}:{self._ports[name]}"]
        self._call("start", "--port", str(self._port), *listeners, "--properties", str(file))

    def stop(self) -> None:
        self._call("stop")

    def _call(self, command: str, *options: str) -> None:
        done = subprocess.run(
            [self._script, command, self.folder, *options], capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == 0, done.stderr


def key_store(file: Path, pair: Pair) -> dict[str, object]:
    """Write the broker's key and certificate, and return the settings that name them."""
    file.write_bytes(pair.key_pem + pair.certificate_pem)
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": file}


def _free_ports(number: int) -> int:
    """The first of as many ports in a row that nobody uses, below those that outgoing connections use."""
    for _ in range(50):
        first = random.randrange(20_000, 32_000 - number)
        if all(_is_free(port) for port in range(first, first + number)):
            return first
    raise AssertionError("no free ports between 20000 and 32000")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((HOST, port)) != 0
