"""What gunicorn runs: the worker, and the way to a visitor."""
