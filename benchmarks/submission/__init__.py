"""Runs that travel: packed into one file, unpacked safely, checked line by line, and imported as what they are."""
