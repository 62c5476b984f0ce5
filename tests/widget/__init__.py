"""The widget in the real browser: a package, so that its fixtures end with it."""
