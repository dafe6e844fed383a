"""Where pulls are carried out: in this process, on Ray actors, or against recorded curves."""
