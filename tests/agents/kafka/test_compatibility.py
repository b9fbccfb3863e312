"""The start of a worker checks the parts of its libraries on which it relies beyond their public names."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faust.transport.drivers import aiokafka as driver

from agents.kafka import compatibility
from agents.kafka.compatibility import CALLED, USED, Called, Used, check_libraries
from streamseg.errors import ConfigurationError

AGENTS = Path(compatibility.__file__).parents[1]


def test_the_installed_libraries_have_every_name_that_is_relied_on() -> None:
    check_libraries()


@pytest.mark.parametrize("called", CALLED, ids=lambda called: f"{called.owner.__name__}.{called.name}")
def test_a_method_that_is_gone_is_named(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner in called.owner.__mro__:
        if called.name in vars(owner):
            monkeypatch.delattr(owner, called.name)
    with pytest.raises(ConfigurationError, match=rf"is not supported.*{called.name}\b"):
        check_libraries()


def test_a_method_with_other_parameters_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def _getmany(self: object, active_partitions: object) -> None:
        """Has lost a parameter."""

    monkeypatch.setattr(driver.Consumer, "_getmany", _getmany)
    with pytest.raises(ConfigurationError, match=r"faust-streaming .* is not supported.*_getmany"):
        check_libraries()


@pytest.mark.parametrize("used", USED, ids=lambda used: f"{used.owner.__name__}.{used.name}")
def test_an_attribute_that_nobody_uses_any_more_is_named(used: Used, monkeypatch: pytest.MonkeyPatch) -> None:
    source = compatibility._source

    def without(module: str) -> str:
        text = source(module)
        return re.sub(rf"\.{used.name}\b", "", text) if module == used.owner.__module__ else text

    monkeypatch.setattr(compatibility, "_source", without)
    with pytest.raises(ConfigurationError, match=rf"{used.library} .* is not supported.*{used.name}\b"):
        check_libraries()


def test_clients_have_the_attributes_once_they_are_made() -> None:
    async def made() -> tuple[AIOKafkaConsumer, AIOKafkaProducer]:
        consumer, producer = AIOKafkaConsumer(), AIOKafkaProducer()
        await consumer.stop()
        await producer.stop()
        return consumer, producer

    consumer, producer = asyncio.run(made())
    assert {"_coordinator", "_fetcher", "_subscription"} <= vars(consumer).keys()
    assert "_sender" in vars(producer)


def test_no_other_module_touches_a_private_name_of_another_object() -> None:
    # A NamedTuple's public methods begin with an underscore, as documented functions of os and sys do.
    foreign = re.compile(
        r"(?<!\bself)(?<!\bcls)(?<!super\(\))(?<!\bos)(?<!\bsys)\._(?!asdict\b|replace\b)[a-z]\w*"
    )
    found = {
        (path.name, match.group())
        for path in AGENTS.rglob("*.py")
        # The other one only writes the page of metrics, which a test compares.
        if path.name not in ("compatibility.py", "reference_pages.py")
        for line in path.read_text().splitlines()
        for match in foreign.finditer(line.split("#")[0])
    }
    assert found == set()
