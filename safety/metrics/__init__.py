"""Metrics of sweeps that need this floor: `benchmarks` has the registry search here (`eval.registry.search_also`)."""
