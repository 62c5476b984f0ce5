"""What the relay costs, measured beside the floor in one run: ``make bench``."""
