"""Hours of live load with faults now and then: `python -m tests.soak --hours 2`."""
