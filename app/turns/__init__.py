"""The product: one turn from a question to its stored answer. No Flask, no vendor."""
