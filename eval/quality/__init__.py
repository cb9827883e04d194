"""Picture and motion metrics: one file each; each registers itself."""
