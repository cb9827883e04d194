"""Whether the people whose portraits a case gives are the people whom its clip shows."""
