"""The models that there are: names, facts, layers, what is loaded, and what servers of an age know; no I/O."""
