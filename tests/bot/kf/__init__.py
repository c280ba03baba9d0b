"""微信客服: pulls, the account of sessions, and what is sent in them."""
