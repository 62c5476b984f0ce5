"""Who is asked: each assistant of the deployment, with all that is its own.

``registry`` finds the one whose key, or whose id, came with a request.
"""

from app.assistants.registry import Assistant, Assistants, digest_key

__all__ = ("Assistant", "Assistants", "digest_key")
