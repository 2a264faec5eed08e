"""One blueprint a person; `web` is what they share."""
