"""The watermark audit: how well a mark survives, at what cost to quality, how often it lies, and who can forge it."""
