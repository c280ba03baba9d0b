"""The vendor's session-archive library (会话内容存档 SDK), loaded in a process of its own (06-session-archive.md, 6.2).

The service talks to `source.NativeArchiveSource`; `process` keeps the child alive, `child` is what runs in it, and
`library` is the binding; `downloads` fetches whole files. Only the child ever loads native code. Nothing is imported
here, so that the child stays small.
"""
