"""Watermarks: hiding a message in a clip, and reading it back. Start with mark.py."""
