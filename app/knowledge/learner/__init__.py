"""Learns the owner's pages and files: fetches, reads, and stores them as documents.

It runs in a process of its own, ``python -m app learn``: what strangers wrote may take
any time, any memory, and a crash. What parses it runs in yet another (``reading``).
"""
