"""What a report says: rankings, orders, sentences, rows of tables."""
