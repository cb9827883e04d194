"""Whether things stay themselves over time: what encoders see of the frames, compared with one another."""
