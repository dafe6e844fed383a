"""Our policies inside other people's tools; each module here needs an extra of its own."""
