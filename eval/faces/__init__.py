"""Faces: packs of networks that find and describe them, and tracks of one face over time."""
