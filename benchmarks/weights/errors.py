"""The one error of this folder."""

from __future__ import annotations

from eval.errors import UserError


class PullError(UserError):
    """Weights that could not be pulled; nothing is left behind. One line: what, where, what to do."""
