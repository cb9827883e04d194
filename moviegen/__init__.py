"""Makes clips, and trains everything that is trained here."""
