"""The bias audit: what a generator shows of people, how well it serves them, and what that cannot say."""
