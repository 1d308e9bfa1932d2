"""The equal-budget track: every architecture trained alike, so that tables compare architectures.

All see the same photos in the same order with the same holes (`stream`), as many pictures, under
one common reconstruction term and one optimiser (`recipe`); what differs is the network and the
terms of its own paper (`recipes`). What happened is kept in a ledger; the result is a small
weights file with a card.
"""
