"""HTTP as Ollama's server speaks it: connections, replies, request bodies, who may ask; knows no endpoint."""
