"""How long methods take: measured in turns, against anchors of the same run, with what may differ.

Each method lives in a process of its own (`stopwatch`), of which one at a time works. Rounds go
over all methods and the anchors in random order (`rounds`), so that drifts of the machine meet
all alike and cancel in the ratio to the anchor (`estimates`); the samples are kept, and summed up
in a table (`table`).
"""
