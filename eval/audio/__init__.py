"""Sound metrics."""
