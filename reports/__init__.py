"""Show a run: tables and pictures in, a folder of plain HTML files out."""
