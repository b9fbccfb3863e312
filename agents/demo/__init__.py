"""The demonstration: a whole worker on a broker inside this process."""
