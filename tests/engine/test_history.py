"""A contact's kept events under the cap, whatever the order in which they come, in memory and on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamseg.contact.contact import Contact
from streamseg.engine import history as history_module
from streamseg.engine.history import History
from streamseg.records.derived import TAG_ADDED, DerivedEvents
from streamseg.records.inputs import Event, Order
from streamseg.store.memory import MemoryStore
from streamseg.store.protocol import Store
from streamseg.store.rocksdb import RocksStore

CAP = 4
NOW = 1_000_000

keep = st.tuples(st.just("keep"), st.integers(1, 40), st.integers(0, 3))
derive = st.tuples(st.just("derive"), st.integers(1, 40), st.integers(1, 2 * CAP))
steps = st.lists(
    st.one_of(*[keep] * 12, derive, st.tuples(st.just("commit")), st.tuples(st.just("erase"))),
    min_size=20,
    max_size=60,
)


@contextmanager
def stores() -> Iterator[list[Store]]:
    with tempfile.TemporaryDirectory() as folder:
        rocks = RocksStore(Path(folder) / "state")
        try:
            yield [MemoryStore(), rocks]
        finally:
            rocks.close()


@settings(max_examples=60, deadline=None)
@given(steps)
def test_at_the_cap_the_oldest_goes_and_the_rest_is_kept_in_order(steps: list[tuple[object, ...]]) -> None:
    with pytest.MonkeyPatch.context() as patch, stores() as kept_in:
        # Read in small portions, so that there is something to read on.
        patch.setattr(history_module, "_HEAD", 2)
        for store in kept_in:
            _run(store, steps)


def _run(store: Store, steps: list[tuple[object, ...]]) -> None:
    history = History(store, retention_ms=10 * NOW, cap=CAP)
    contact = Contact("c")
    model: list[Order] = []
    capped = 0
    for number, (step, *about) in enumerate(steps):
        if step == "keep":
            occurred_ms, suffix = about
            event = Event(f"e{suffix}-{number}", "scan", int(str(occurred_ms)), {}, offset=number)
            assert not history.repeats(contact, event, NOW)
            history.keep(contact, event, NOW)
            model = sorted([*model, event.order])
            capped += len(model) > CAP
            model = model[-CAP:]
        elif step == "derive":
            occurred_ms, count = map(int, map(str, about))
            derived = DerivedEvents(f"contact-updates/0/{number:020}/", occurred_ms, number, 0)
            for tag in range(count):
                derived.add(TAG_ADDED, (str(tag),))
            history.keep_derived(contact, derived, NOW)
            model = sorted([*model, *(event.order for event in derived.all_events())])
            capped += max(0, len(model) - CAP)
            model = model[-CAP:]
        elif step == "erase":
            history.forget_all(contact, NOW)
            model = []
        elif isinstance(store, RocksStore):
            store.save()
        assert [event.order for event in history.kept(contact, NOW)] == model
        assert contact.event_count == len(model)
        assert contact.oldest_event_ms is None or contact.oldest_event_ms <= model[0][0]
        assert contact.capped == capped


def test_events_since_a_time_leave_out_what_lies_before() -> None:
    with stores() as kept_in:
        for store in kept_in:
            for number, occurred_ms in enumerate((5, 1, 3, 3)):
                store.add_event("c", Event(f"e{number}", "scan", occurred_ms, {}))
                if isinstance(store, RocksStore) and occurred_ms == 1:
                    store.save()
            store.add_event("c\0", Event("other", "scan", 4, {}))
            for since_ms, expected in ((2, [3, 3, 5]), (3, [3, 3, 5]), (4, [5]), (6, [])):
                assert [event.occurred_ms for event in store.events("c", since_ms)] == expected
