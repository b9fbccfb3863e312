"""The engine's inputs and outputs: records, events, membership changes and dead letters."""
