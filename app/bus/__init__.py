"""What one worker must tell another, here that a turn is to stop."""
