"""The pages of what an assistant knows."""
