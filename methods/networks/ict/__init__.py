"""ICT: colour tokens drawn one by one by a transformer, then a network that draws the details."""
