"""Load: open-loop arrivals inside Locust, exact latencies, and the one-second budget as a statistic."""
