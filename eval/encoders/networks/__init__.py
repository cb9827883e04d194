"""Published networks whose authors' code we do not use: written anew from their papers and tensor names.

Each takes the published tensors, saved as safetensors under their published names (`moviegen weights list NAME`).
"""
