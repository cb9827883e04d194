"""Open encoders: which there are, and where a user's copy of their weights lies. Nothing here uses the network.

find("clip-vit-b-32")   the folder of the weights, or NotMeasurable with the command to run
"""
