"""Metrics of sweeps that need this floor: `benchmarks` has the registries search here, too (`eval.registry.search_also`)."""
