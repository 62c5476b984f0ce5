"""``verify``: what it tries of a running service, step by step."""
