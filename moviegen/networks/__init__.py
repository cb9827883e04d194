"""The reference model's networks: plain modules that know nothing of training."""
