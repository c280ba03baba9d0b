"""The signature of a page inside WeCom (09-oauth-jssdk.md, 9.2). Its tickets are kept by `bot/wecom/tickets.py`."""

import hashlib


def sign_page(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """Return the signature of a page's address, as the browser sees it; the part from `#` does not count.

    Sign only addresses on our own host: a signer of any address serves everybody.
    """
    page = url.partition("#")[0]
    words = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={page}"
    return hashlib.sha1(words.encode(), usedforsecurity=False).hexdigest()
