"""The demonstration: a whole worker and a broker inside this process."""
