"""Generators: one file each; each registers itself."""
