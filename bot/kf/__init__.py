"""微信客服 as we keep account of it: whose turn a session is, and how many messages we may still send in it."""
