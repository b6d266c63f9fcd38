"""The sandbox: killable children in which everything that opens a stranger's content runs."""
