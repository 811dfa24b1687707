"""What is said: scripted, computed or replayed answers, as pieces and as lines; no I/O."""
