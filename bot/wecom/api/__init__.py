"""The platform's APIs as typed functions, a module for each family (04, 05, 07, 08 and 09 of the dossier).

A request is a frozen value that knows its names on the wire and its documented limits (`wire.py`); what breaks a limit
is refused before anything is sent. An answer is read field by field (`bot/wecom/answers.py`). Lists come as async
iterators that page by themselves (`calls.py`). The reads that keep our mirrors, and the broadcast tasks, are beside
this package in `bot/wecom/contacts.py` and `bot/wecom/groupsend.py`.

What has no function here is called by name: `client.call("GET /cgi-bin/tag/list")`.
"""
