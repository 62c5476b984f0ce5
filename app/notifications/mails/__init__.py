"""Mails: how they are written and sent, to the owner and to visitors."""
