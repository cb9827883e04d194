"""The one-line errors of this package."""

from __future__ import annotations

from eval.errors import UserError


class ProvenanceError(UserError):
    """A clip that cannot be signed or audited as asked. The message is one line: what, where, what to do next."""


class SigningKeyError(ProvenanceError):
    """A key or certificate that cannot sign."""


class AnchorError(ProvenanceError):
    """A file of trust anchors that cannot be used."""
