"""Experiments: steady state, fault, recovery; recorded first, judged afterwards."""
