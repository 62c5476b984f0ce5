"""What one process must tell another: that a turn is to stop, and what it says."""
