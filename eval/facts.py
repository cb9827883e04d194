"""Stream facts as arrays, so that they can be cached beside the features."""

from __future__ import annotations

import json
from typing import cast

import numpy as np

from eval.clip import StreamFacts, Timestamps
from eval.feature import Arrays


def facts_to_arrays(facts: StreamFacts) -> Arrays:
    """StreamFacts as one uint8 array of JSON."""
    text = json.dumps({"frames": facts.frames, "timestamps": facts.timestamps, "notes": facts.notes})
    return {"json": np.frombuffer(text.encode(), np.uint8)}


def facts_from_arrays(arrays: Arrays) -> StreamFacts:
    """The inverse of facts_to_arrays."""
    stored = json.loads(arrays["json"].tobytes())
    return StreamFacts(int(stored["frames"]), cast(Timestamps, stored["timestamps"]), tuple(stored["notes"]))
