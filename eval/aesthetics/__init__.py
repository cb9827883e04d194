"""How a clip looks to networks trained on people's ratings."""
