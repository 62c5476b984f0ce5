"""How an answer is told to a client."""
