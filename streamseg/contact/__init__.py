"""All that is kept of one contact."""
