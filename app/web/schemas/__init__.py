"""What clients send and get, one file per audience."""
