"""Numbers and texts as they are written for people and programs."""
