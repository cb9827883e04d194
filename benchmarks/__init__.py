"""Sweeps generators over suites, stores and compares results."""
