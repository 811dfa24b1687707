"""Which notebook this is, what a notebook file contains, and conversations as files. Nothing is ever executed."""
