"""Reads the lines of magics: words and options, settings, and the plan of a turn."""
