"""Which pages are visited, and how they are fetched."""
