"""What is remembered: turns, conversations, and the one session that owns them."""
