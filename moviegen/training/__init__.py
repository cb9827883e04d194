"""Training: one Lightning module and entry for each thing that is trained."""
