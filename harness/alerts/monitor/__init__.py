"""The monitor: looks every few minutes at a service that somebody else runs, at its data and at its predictions."""
