"""The arena: what people prefer, seen blind, and what that says about generators and metrics."""
