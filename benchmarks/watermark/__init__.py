"""The watermark audit run from a command: clips found or made, trials in parallel, resumed, stored, reported."""
