"""Who may call, and who the caller is."""
