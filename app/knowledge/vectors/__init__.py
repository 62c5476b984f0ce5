"""Passages found by meaning: a sidecar process of the machine holds a small model and vectors.

Workers know ``client`` and ``spawn``; numpy and the model are loaded by the sidecar alone.
"""
