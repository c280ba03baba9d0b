"""The knowledge base of kf's native bot (07, 7.5): groups, and questions with one answer each. App's token only."""

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.found_media import find_media, need_media
from simulator.api.params import need_object, need_text, page, read_number, read_objects, read_text
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Json
from simulator.state_kf import KfIntent, KfKnowledgeGroup

DEFAULT_GROUP = KfKnowledgeGroup("kfg-default", "默认分组", is_default=True)
INTENTS_PER_GROUP = 200
QUESTION_CHARS = 200
MOST_SIMILAR = 100
ANSWER_CHARS = 500
MOST_ATTACHMENTS = 4
ATTACHMENTS = frozenset({"image", "video", "link", "miniprogram"})


def _groups(platform: Platform) -> list[KfKnowledgeGroup]:
    return [DEFAULT_GROUP, *platform.world.kf_groups.rows.values()]


def _need_group(platform: Platform, fields: Json) -> KfKnowledgeGroup:
    group_id = need_text(fields, "group_id")
    group = next((row for row in _groups(platform) if row.group_id == group_id), None)
    if group is None:
        raise ApiError(40058, "invalid parameter: group_id")
    return group


def add_group(platform: Platform, call: ApiCall) -> Answer:
    """Make a group."""
    row = KfKnowledgeGroup(platform.new_id("kfg")[:32], need_text(call.body, "name"))
    platform.world.kf_groups.put(row)
    return ok(group_id=row.group_id)


def change_group(platform: Platform, call: ApiCall) -> Answer:
    """Rename a group; the default one keeps its name."""
    group = _need_own_group(platform, call.body)
    group.name = need_text(call.body, "name")
    platform.world.kf_groups.put(group)
    return ok()


def remove_group(platform: Platform, call: ApiCall) -> Answer:
    """Remove a group with its questions."""
    group = _need_own_group(platform, call.body)
    platform.world.kf_groups.remove(group.group_id)
    for intent in _intents(platform, group.group_id):
        platform.world.kf_intents.remove(intent.intent_id)
    return ok()


def _need_own_group(platform: Platform, body: Json) -> KfKnowledgeGroup:
    group = _need_group(platform, body)
    if group.is_default:
        raise ApiError(40058, "invalid parameter: the default group cannot be changed")
    return group


def list_groups(platform: Platform, call: ApiCall) -> Answer:
    """Return one group, or all, page by page."""
    rows = [_need_group(platform, call.body)] if call.body.get("group_id") else _groups(platform)
    shown, following = page(rows, read_text(call.body, "cursor"), read_number(call.body, "limit", 500, 1, 1000))
    return ok(
        group_list=[
            {"group_id": row.group_id, "name": row.name, "is_default": 1 if row.is_default else 0} for row in shown
        ],
        has_more=1 if following else 0,
        next_cursor=following,
    )


def _intents(platform: Platform, group_id: str) -> list[KfIntent]:
    return [row for row in platform.world.kf_intents.rows.values() if row.group_id == group_id]


def add_intent(platform: Platform, call: ApiCall) -> Answer:
    """Add a question with its answer."""
    group = _need_group(platform, call.body)
    if len(_intents(platform, group.group_id)) >= INTENTS_PER_GROUP:
        raise ApiError(40058, f"more than {INTENTS_PER_GROUP} questions in the group")
    row = KfIntent(
        platform.new_id("kfi")[:32],
        group.group_id,
        _read_question(need_object(call.body, "question")),
        _read_similar(call.body),
        _read_answers(platform, call.body),
    )
    if not row.answers:
        raise ApiError(40063, "missing or empty: answers")
    platform.world.kf_intents.put(row)
    return ok(intent_id=row.intent_id)


def change_intent(platform: Platform, call: ApiCall) -> Answer:
    """Change the parts of a question that are given."""
    row = _need_intent(platform, call.body)
    if call.body.get("question"):
        row.question = _read_question(need_object(call.body, "question"))
    if call.body.get("similar_questions"):
        row.similar = _read_similar(call.body)
    if call.body.get("answers"):
        row.answers = _read_answers(platform, call.body)
    platform.world.kf_intents.put(row)
    return ok()


def remove_intent(platform: Platform, call: ApiCall) -> Answer:
    """Remove a question."""
    platform.world.kf_intents.remove(_need_intent(platform, call.body).intent_id)
    return ok()


def _need_intent(platform: Platform, body: Json) -> KfIntent:
    row = platform.world.kf_intents.find(need_text(body, "intent_id"))
    if row is None:
        raise ApiError(40058, "invalid parameter: intent_id")
    return row


def list_intents(platform: Platform, call: ApiCall) -> Answer:
    """Return one question, a group's or all, page by page; media come back by file name."""
    if call.body.get("intent_id"):
        rows = [_need_intent(platform, call.body)]
    elif call.body.get("group_id"):
        rows = _intents(platform, _need_group(platform, call.body).group_id)
    else:
        rows = list(platform.world.kf_intents.rows.values())
    shown, following = page(rows, read_text(call.body, "cursor"), read_number(call.body, "limit", 500, 1, 1000))
    return ok(
        intent_list=[_show(platform, row) for row in shown], has_more=1 if following else 0, next_cursor=following
    )


def _show(platform: Platform, row: KfIntent) -> Json:
    answers = [
        {"text": answer["text"], "attachments": [_named(platform, one) for one in answer["attachments"]]}
        for answer in row.answers
    ]
    shown: Json = {
        "group_id": row.group_id,
        "intent_id": row.intent_id,
        "question": row.question,
        "answers": answers,
    }
    if row.similar:
        shown["similar_questions"] = {"items": row.similar}
    return shown


def _named(platform: Platform, attachment: Json) -> Json:
    """Return an attachment as a list shows it: the file's name instead of its id."""
    kind = attachment["msgtype"]
    body = dict(attachment[kind])
    media_id = body.pop("media_id", None) or body.pop("thumb_media_id", None)
    media = platform.world.media.find(media_id) if media_id else None
    if kind in {"image", "video"}:
        body["name"] = media.filename if media is not None else ""
    return {"msgtype": kind, kind: body}


def _read_question(question: Json) -> Json:
    content = need_text(need_object(question, "text"), "content")
    if len(content) > QUESTION_CHARS:
        raise ApiError(40058, f"invalid parameter: a question is longer than {QUESTION_CHARS} characters")
    return {"text": {"content": content}}


def _read_similar(body: Json) -> list[Json]:
    if not body.get("similar_questions"):
        return []
    items = read_objects(need_object(body, "similar_questions"), "items", MOST_SIMILAR)
    return [_read_question(item) for item in items]


def _read_answers(platform: Platform, body: Json) -> list[Json]:
    return [_read_answer(platform, answer) for answer in read_objects(body, "answers", 1)]


def _read_answer(platform: Platform, answer: Json) -> Json:
    content = need_text(need_object(answer, "text"), "content")
    if len(content) > ANSWER_CHARS:
        raise ApiError(40058, f"invalid parameter: an answer is longer than {ANSWER_CHARS} characters")
    attachments = read_objects(answer, "attachments", MOST_ATTACHMENTS)
    for attachment in attachments:
        _check_attachment(platform, attachment)
    return {"text": {"content": content}, "attachments": attachments}


def _check_attachment(platform: Platform, attachment: Json) -> None:
    kind = need_text(attachment, "msgtype")
    if kind not in ATTACHMENTS:
        raise ApiError(40008)
    body = need_object(attachment, kind)
    if kind in {"image", "video"}:
        need_media(platform, need_text(body, "media_id"), kind)
    elif kind == "link":
        need_text(body, "title")
        need_text(body, "url")
    else:
        need_text(body, "appid")
        need_text(body, "pagepath")
        if body.get("thumb_media_id"):
            find_media(platform, need_text(body, "thumb_media_id"), "image")


_BASE = "/cgi-bin/kf/knowledge"
ENDPOINTS = {
    f"POST {_BASE}/add_group": Endpoint(add_group, APP),
    f"POST {_BASE}/mod_group": Endpoint(change_group, APP),
    f"POST {_BASE}/del_group": Endpoint(remove_group, APP),
    f"POST {_BASE}/list_group": Endpoint(list_groups, APP),
    f"POST {_BASE}/add_intent": Endpoint(add_intent, APP),
    f"POST {_BASE}/mod_intent": Endpoint(change_intent, APP),
    f"POST {_BASE}/del_intent": Endpoint(remove_intent, APP),
    f"POST {_BASE}/list_intent": Endpoint(list_intents, APP),
}
