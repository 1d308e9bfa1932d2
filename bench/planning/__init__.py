"""What is filled: photos, their holes, and the plan of a run."""
