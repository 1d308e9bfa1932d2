"""The report while it is written: its folder, its pictures, what pages share."""
