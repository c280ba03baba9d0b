"""The AI bot (智能机器人): streams any node can continue, words said at once, the long connection and its leader."""
