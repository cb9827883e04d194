"""Readers for other people's prompt lists, from a path that the user names. Nothing of theirs is kept here."""
