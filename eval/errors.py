"""The one base of the mistakes that a user can make and mend."""

from __future__ import annotations


class UserError(ValueError):
    """Something asked for cannot be done. The message is one line: what, where, what to do next.

    The command line prints it and leaves with status 2; any other ValueError is a bug and keeps its traceback.
    """
