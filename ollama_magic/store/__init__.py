"""The store: one SQLite file per user with the changes of every notebook, which it never reads."""
