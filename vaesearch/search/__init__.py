"""The loop: a policy decides, the ledger remembers, a backend carries out."""
