"""Can generated clips be told from real ones, by how much, and is the answer to be trusted?"""
