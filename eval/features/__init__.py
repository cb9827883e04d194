"""Features: one file each; each registers itself."""
