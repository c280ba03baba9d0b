"""The errors of this package.

RequestRefused
  Conflict
    ScriptNotInForce     the wording is a draft, expired, superseded or withdrawn, or its product is: it may not be sent
  MissingVariable        a variable of the wording has no value; `.names` says which
  ScriptInvalid          a draft breaks a rule of the library; `.problems` says which
"""

from bot.errors import Conflict, RequestRefused


class ScriptNotInForce(Conflict):
    """The version may not be used on that day. `reason` is a stable word: draft, expired …"""

    code = "refused.script_not_in_force"

    def __init__(self, script_id: str, version: int, reason: str) -> None:
        super().__init__(f"script {script_id} version {version} may not be used: {reason}")
        self.reason = reason


class MissingVariable(RequestRefused):
    """Variables of a wording have no value. `names` lists them in the order in which they stand in the text."""

    code = "refused.missing_variable"

    def __init__(self, script_id: str, names: tuple[str, ...]) -> None:
        super().__init__(f"script {script_id} needs a value for: {', '.join(names)}")
        self.script_id = script_id
        self.names = names


class ScriptInvalid(RequestRefused):
    """A draft breaks a rule of the library. `problems` lists stable words, one for each rule."""

    code = "refused.script_invalid"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(f"the script cannot be stored: {', '.join(problems)}")
        self.problems = problems
