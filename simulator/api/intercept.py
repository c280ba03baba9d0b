"""敏感词 rules (05, 5.10): an app changes only its own; here all come through the API."""

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_object, need_text, read_number, read_numbers, read_text, read_texts
from simulator.errors import ApiError
from simulator.intercepting import SEMANTICS
from simulator.platform import ApiCall, Platform
from simulator.state import Json
from simulator.state_contacts import InterceptRule

MOST_RULES = 100
LONGEST_NAME = 20
MOST_WORDS = 300
LONGEST_WORD = 32
MOST_IN_RANGE = 1000
MOST_COVERED = 10_000


def add_intercept_rule(platform: Platform, call: ApiCall) -> Answer:
    """Make a rule over members and departments."""
    body = call.body
    need_text(body, "rule_name")
    name = read_text(body, "rule_name", LONGEST_NAME)
    words = _read_words(body)
    semantics = _read_semantics(body)
    kind = read_number(body, "intercept_type", None, 1, 2)
    users, departments = _read_range(platform, need_object(body, "applicable_range"))
    _check_covered(platform, users, departments)
    rules = platform.world.intercept_rules
    if len(rules.rows) >= MOST_RULES:
        raise ApiError(81017)
    rule_id = platform.new_id("rule")
    rules.put(InterceptRule(rule_id, name, words, semantics, kind, users, departments, platform.clock.seconds()))
    return ok(rule_id=rule_id)


def _read_words(body: Json) -> list[str]:
    words = read_texts(body, "word_list", MOST_WORDS)
    if not words:
        raise ApiError(40063, "missing or empty: word_list")
    if not all(1 <= len(word) <= LONGEST_WORD for word in words):
        raise ApiError(40058, f"invalid parameter: a word has 1 to {LONGEST_WORD} characters")
    return words


def _read_semantics(fields: Json) -> list[int]:
    semantics = read_numbers(fields, "semantics_list", len(SEMANTICS))
    if not set(semantics) <= set(SEMANTICS):
        raise ApiError(40058, "invalid parameter: semantics_list")
    return semantics


def _read_range(platform: Platform, given: Json) -> tuple[list[str], list[int]]:
    users = read_texts(given, "user_list", MOST_IN_RANGE, 40032)
    departments = read_numbers(given, "department_list", MOST_IN_RANGE, 40066)
    members = [platform.world.find_member(user) for user in users]
    found = [member.userid for member in members if member is not None]
    if len(found) < len(users):
        raise ApiError(60111)
    if any(str(number) not in platform.world.departments.rows for number in departments):
        raise ApiError(60123)
    return found, departments


def _check_covered(platform: Platform, users: list[str], departments: list[int]) -> None:
    """Refuse a rule over nobody, or over more than 10 000 people."""
    covered = set(users)
    for number in departments:
        below = platform.world.list_departments_below(number)
        covered |= {row.userid for row in platform.world.members.rows.values() if row.department in below}
    if not users and not departments:
        raise ApiError(40063, "applicable_range is empty")
    if len(covered) > MOST_COVERED:
        raise ApiError(81017)


def _need_rule(platform: Platform, body: Json) -> InterceptRule:
    rule = platform.world.intercept_rules.find(need_text(body, "rule_id"))
    if rule is None:
        raise ApiError(40058, "invalid parameter: rule_id")
    return rule


def get_intercept_rule_list(platform: Platform, _call: ApiCall) -> Answer:
    """Return all rules in short."""
    rows = platform.world.intercept_rules.rows.values()
    return ok(
        rule_list=[{"rule_id": row.rule_id, "rule_name": row.rule_name, "create_time": row.created_at} for row in rows]
    )


def get_intercept_rule(platform: Platform, call: ApiCall) -> Answer:
    """Return one rule."""
    rule = _need_rule(platform, call.body)
    return ok(
        rule={
            "rule_id": rule.rule_id,
            "rule_name": rule.rule_name,
            "create_time": rule.created_at,
            "word_list": rule.words,
            "extra_rule": {"semantics_list": rule.semantics},
            "intercept_type": rule.intercept_type,
            "applicable_range": {"user_list": rule.users, "department_list": rule.departments},
        }
    )


def update_intercept_rule(platform: Platform, call: ApiCall) -> Answer:
    """Change a rule; its range grows and shrinks by what is given."""
    body = call.body
    rule = _need_rule(platform, body)
    name = read_text(body, "rule_name", LONGEST_NAME) or rule.rule_name
    words = _read_words(body) if body.get("word_list") is not None else rule.words
    semantics = _read_semantics(need_object(body, "extra_rule")) if body.get("extra_rule") else rule.semantics
    kind = read_number(body, "intercept_type", rule.intercept_type, 1, 2)
    users, departments = list(rule.users), list(rule.departments)
    if body.get("add_applicable_range"):
        more_users, more_departments = _read_range(platform, need_object(body, "add_applicable_range"))
        users = list(dict.fromkeys([*users, *more_users]))
        departments = list(dict.fromkeys([*departments, *more_departments]))
    if body.get("remove_applicable_range"):
        less_users, less_departments = _read_range(platform, need_object(body, "remove_applicable_range"))
        users = [user for user in users if user not in less_users]
        departments = [number for number in departments if number not in less_departments]
    _check_covered(platform, users, departments)
    rule.rule_name, rule.words, rule.semantics, rule.intercept_type = name, words, semantics, kind
    rule.users, rule.departments = users, departments
    platform.world.intercept_rules.put(rule)
    return ok()


def del_intercept_rule(platform: Platform, call: ApiCall) -> Answer:
    """Remove a rule."""
    platform.world.intercept_rules.remove(_need_rule(platform, call.body).rule_id)
    return ok()


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/add_intercept_rule": Endpoint(add_intercept_rule, APP),
    "GET /cgi-bin/externalcontact/get_intercept_rule_list": Endpoint(get_intercept_rule_list, APP),
    "POST /cgi-bin/externalcontact/get_intercept_rule": Endpoint(get_intercept_rule, APP),
    "POST /cgi-bin/externalcontact/update_intercept_rule": Endpoint(update_intercept_rule, APP),
    "POST /cgi-bin/externalcontact/del_intercept_rule": Endpoint(del_intercept_rule, APP),
}
