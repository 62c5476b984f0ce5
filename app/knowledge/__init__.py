"""What the owner's pages say: documents become an index, and a question finds passages in it.

Turns know ``protocol`` alone. ``learner`` runs in a child process, and nowhere else.
"""
