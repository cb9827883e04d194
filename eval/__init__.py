"""Scores clips: floor 0, imports nothing of ours."""
