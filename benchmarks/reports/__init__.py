"""Pages for people: self-contained HTML, nothing remote."""
