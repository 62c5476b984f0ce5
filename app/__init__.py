"""Perch: a self-hosted AI chat for any web page."""

__version__ = "0.1.0"
