"""What a line says: its words and options, the settings behind them, and the plan of a turn that comes of both."""
