"""Conversations in Convex, through its HTTP API."""

from app.storage.convex.store import ConvexStore

__all__ = ["ConvexStore"]
