"""Reputation: what lists, the world's and our own, know of a sender and of what a message points to."""
