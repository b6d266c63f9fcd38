"""The classifier: what a message is like, by its words and facts."""
