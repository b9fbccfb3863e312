"""Export, import and reset of an installation's state on Kafka."""
