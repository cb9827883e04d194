"""Attacks on marks, one file per family; each registers itself in ATTACKS."""
