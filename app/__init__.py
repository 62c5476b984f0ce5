"""Perch: a self-hosted AI chat for any web page."""
