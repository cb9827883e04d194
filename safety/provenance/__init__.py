"""The provenance audit: which clips carry content credentials (C2PA), what they vouch for, and what they survive."""
