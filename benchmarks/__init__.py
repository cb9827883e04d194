"""Sweeps generators over suites, stores and compares results."""

from eval.registry import search_also

# Sweeps also list metrics of the floor beside eval's own. Nothing is imported before a metric is asked for.
search_also("metric", "safety.metrics")
