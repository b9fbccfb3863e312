"""Chaos: kill, freeze and cut off workers on a real broker under load, then check everything that they sent.
`python -m tests.chaos --seconds N --seed S`; docs/testing.md explains the figures."""
