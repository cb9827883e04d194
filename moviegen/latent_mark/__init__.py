"""The latent mark: a message in the noise that a clip is made from. Start with shading.py; README.md has figures."""
