"""A real Apache Kafka for every test in this folder; all of them have the `kafka` marker.

`STREAMSEG_TEST_BOOTSTRAP` names a running broker; otherwise deploy/kafka.sh starts one for the session. Tests
share the broker: each has its own topics by `topic_prefix`. Without a broker the tests are skipped and the
end of the run reports it; with CI=true they fail.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamseg.settings import Settings
from tests.kafka.guarded import Guarded
from tests.lacking import lacks

HERE = Path(__file__).parent
KAFKA_SCRIPT = HERE.parents[1] / "deploy" / "kafka.sh"
FETCH_SECONDS = 540
START_SECONDS = 150


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.kafka)


@pytest.fixture(scope="session")
def kafka_script() -> Path:
    """deploy/kafka.sh, with its jars fetched."""
    fetched = subprocess.run([KAFKA_SCRIPT, "fetch"], capture_output=True, text=True, timeout=FETCH_SECONDS)
    if fetched.returncode != 0:
        why = fetched.stderr.strip() or f"deploy/kafka.sh fetch ended with {fetched.returncode}"
        lacks("Kafka", why)
    return KAFKA_SCRIPT


@pytest.fixture(scope="session")
def bootstrap(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker which all tests share, e.g. `127.0.0.1:23784`."""
    running = os.environ.get("STREAMSEG_TEST_BOOTSTRAP")
    if running:
        yield running
        return
    script: Path = request.getfixturevalue("kafka_script")
    folder = tmp_path_factory.mktemp("kafka")
    started = subprocess.run(
        [script, "start", folder, "--port", "0"], capture_output=True, text=True, timeout=START_SECONDS
    )
    if started.returncode != 0:
        pytest.fail(f"the broker did not start:\n{started.stderr}", pytrace=False)
    try:
        yield started.stdout.strip()
    finally:
        subprocess.run([script, "stop", folder], check=True, capture_output=True, timeout=START_SECONDS)


@pytest.fixture(scope="session")
def guarded(kafka_script: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A broker that wants a login, and grants each user only what that user was given."""
    broker = Guarded(kafka_script, tmp_path_factory.mktemp("guarded"))
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of this test's own, so that its topics, group and changelog are nobody else's."""
    return f"test-{uuid.uuid4().hex[:8]}-"


@pytest.fixture
def kafka_settings(bootstrap: str, topic_prefix: str, tmp_path: Path) -> Settings:
    """Settings for this test's own topics on the shared broker; 4 partitions, one copy."""
    return Settings(
        bootstrap_servers=bootstrap,
        topic_prefix=topic_prefix,
        application_id="streamseg",
        partitions=4,
        replication_factor=1,
        data_dir=tmp_path / "data",
    )
