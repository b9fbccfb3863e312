"""Kafka as the worker uses it: connections, topics, producers and readers."""
