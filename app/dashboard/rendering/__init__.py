"""How texts, times and numbers look on a page."""
