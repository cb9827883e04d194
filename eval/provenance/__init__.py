"""Where a clip comes from, as far as the clip itself tells."""
