"""The run folder: the contract between those who write a run and those who read it."""
