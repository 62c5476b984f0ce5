"""Commands of what an assistant knows."""
