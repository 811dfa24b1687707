"""HTTP and JSON as Go's server speaks them; knows no endpoint and no model."""
