"""Open networks as published: their weights loaded from the user's folder, their preprocessing in torch, on the device.

runners.runner("clip-vit-b-32")               the network, ready to encode, or NotMeasurable with the reason
text.text_features("clip-vit-b-32", prompt)   its text tower, where it has one

Importing this package imports neither torch nor transformers.
"""
