"""The engine: it applies inputs, time and new plans to contacts, and explains the results."""
