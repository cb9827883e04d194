"""Set metrics by name: which encoder's numbers, which measure of a set. One file for each group of encoders."""
