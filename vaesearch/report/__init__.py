"""What a search looks like to a person: figures in print, tables and pictures."""
