"""What a report offers to take away: tables, Markdown, one file, an archive."""
