"""The turn as one frozen value, its JSON, and the messages that turns become. No I/O lives here."""
