"""The display: slots, live and settled answers, tables. It contacts no server and stores no turn."""
