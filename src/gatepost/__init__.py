"""Gatepost: the whole of e-mail security for a mail domain."""
