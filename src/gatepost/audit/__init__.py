"""The audit of a domain: facts in, findings out."""
