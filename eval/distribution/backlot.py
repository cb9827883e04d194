"""Set metrics on the Backlot encoder: the leading 16 of its numbers, few enough for a suite of a hundred cases."""

from eval.distribution.measures import EVERY, Numbers, register

register(Numbers("backlot", "backlot_encoding", "set_D", "clip", "16 numbers of the Backlot encoder"), EVERY)
