"""Documents of all assistants, and what their pages did not answer."""
