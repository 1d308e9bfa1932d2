"""What goes into a paper: a grid of pictures, a table."""
