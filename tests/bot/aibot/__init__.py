"""The AI bot: streams, the desk, the long connection and its leader."""
