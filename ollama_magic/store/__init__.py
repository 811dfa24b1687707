"""What is on disk: one SQLite file per user, which keeps the changes of every notebook and never reads them."""
