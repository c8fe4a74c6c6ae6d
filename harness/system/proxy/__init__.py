"""A TCP proxy of ours, in a process of its own: what a bad network does to the connections of a client."""
