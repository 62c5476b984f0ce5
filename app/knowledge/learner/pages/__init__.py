"""Pages and files as sections of text."""
