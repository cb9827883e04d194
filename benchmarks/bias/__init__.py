"""The bias audit as a user runs it: a sweep, the long table, the statistics of safety/bias, and a report."""
