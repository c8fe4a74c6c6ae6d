"""A container that nobody has described: where it listens, what it takes, how it answers and how it refuses."""
