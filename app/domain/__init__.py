"""Plain frozen values that everybody may know."""
