"""What is shown: slots, live and settled answers, tables. Nothing here speaks to a server or remembers a turn."""
