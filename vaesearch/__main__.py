"""``python -m vaesearch`` is the ``vaesearch`` command."""

from vaesearch.cli import main

if __name__ == "__main__":
    main()
