"""Conversations and their turns: written, listed, searched and read."""
