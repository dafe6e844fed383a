"""The ``vaesearch`` command."""
