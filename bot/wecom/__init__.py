"""The WeCom platform: signature and cipher, bodies to events, the HTTP client and what is called through it."""
