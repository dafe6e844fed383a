"""Trained VAEs of ours and of pythae, scored alike."""
