"""A turn's request as a program for curl, Python or Java."""
