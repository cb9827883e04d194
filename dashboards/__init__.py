"""Shows results."""
