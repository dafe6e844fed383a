"""What `reliability.py` does to a search: machines that come and go, and what is checked then."""
