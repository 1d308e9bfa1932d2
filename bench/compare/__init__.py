"""Which differences between methods, or between two runs, mean something."""
