"""Files: which notebook this is, what a notebook file says, and conversations as files. Nothing is ever executed."""
