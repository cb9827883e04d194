"""The one-line errors of this package."""

from __future__ import annotations

from eval.errors import UserError


class DeepfakeError(UserError):
    """An audit that cannot be done as asked. The message is one line: what, where, what to do next."""


class DetectorError(DeepfakeError):
    """A detector that cannot be loaded, or that gives no score in [0, 1]."""
