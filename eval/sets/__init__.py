"""Measures of a whole set of clips, from their feature vectors: distances, fidelity, coverage, diversity."""
