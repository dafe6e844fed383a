"""Results, tables and pictures of a search that is tuned."""
