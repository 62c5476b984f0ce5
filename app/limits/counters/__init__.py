"""Counts with limits and an end, in this process or in a Redis that all workers share."""
