"""Chaos: workers on a real broker that are killed, frozen and cut off under load, and a check of all that
they said. `python -m tests.chaos --seconds N --seed S`; docs/testing.md says how to read its figures."""
