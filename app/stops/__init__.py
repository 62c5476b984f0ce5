"""How a wish to stop a turn finds the process that runs it."""
