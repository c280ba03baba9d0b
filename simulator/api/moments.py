"""企业发表到客户朋友圈 (05, 5.7): tasks members publish by hand, and what became of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.found_media import need_media
from simulator.api.params import (
    check_bytes,
    need_object,
    need_text,
    page,
    read_number,
    read_numbers,
    read_objects,
    read_text,
    read_texts,
)
from simulator.clock import CHINA
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Json
from simulator.state_contacts import Moment, MomentReaction, MomentTask

TEXT_CHARS, TEXT_BYTES = 2000, 4000
MOST_IMAGES = 9
LONGEST_TITLE = 64
MOST_SENDERS = 100_000
PER_MINUTE, PER_MONTH = 10, 100_000
JOB_LIFE = timedelta(hours=24)
LONGEST_LIST_SPAN = timedelta(days=30)
STARTED, DONE = 1, 3
VISIBLE_ALL, VISIBLE_SOME = 1, 0


def add_moment_task(platform: Platform, call: ApiCall) -> Answer:
    """Begin to make a moment; `get_moment_task_result` tells its id."""
    body = call.body
    text, attachments = _read_content(platform, body)
    visible = need_object(body, "visible_range") if body.get("visible_range") else {}
    senders, invalid_senders = _read_senders(platform, visible)
    tags, invalid_tags = _read_tags(platform, visible)
    _check_pace(platform)
    tasks = [MomentTask(userid, _list_audience(platform, userid, tags)) for userid in senders]
    jobid, moment_id = platform.new_id("job"), platform.new_id("mom")
    moment = Moment(
        moment_id=moment_id,
        jobid=jobid,
        creator="",
        create_type=0,
        text=text,
        attachments=attachments,
        visible_type=VISIBLE_SOME if visible else VISIBLE_ALL,
        created_at=platform.clock.now(),
        tasks=[task for task in tasks if task.customers],
        invalid_senders=invalid_senders,
        invalid_tags=invalid_tags,
    )
    platform.world.moments.put(moment)
    platform.record_sent("moment", [task.userid for task in moment.tasks], body, moment_id)
    return ok(jobid=jobid)


def _read_content(platform: Platform, body: Json) -> tuple[str, list[Json]]:
    text = ""
    if body.get("text"):
        text = read_text(need_object(body, "text"), "content", TEXT_CHARS)
        check_bytes(text, TEXT_BYTES, "text.content")
    attachments = read_objects(body, "attachments", MOST_IMAGES)
    if not text and not attachments:
        raise ApiError(40063, "text and attachments are both empty")
    kinds = [need_text(attachment, "msgtype") for attachment in attachments]
    if len(attachments) > 1 and set(kinds) != {"image"}:
        raise ApiError(40058, "invalid parameter: either 9 images, or 1 video, or 1 link")
    for kind, attachment in zip(kinds, attachments, strict=True):
        _check_attachment(platform, kind, attachment)
    return text, attachments


def _check_attachment(platform: Platform, kind: str, attachment: Json) -> None:
    if kind not in {"image", "video", "link"}:
        raise ApiError(41065)
    content = need_object(attachment, kind)
    if kind == "link":
        read_text(content, "title", LONGEST_TITLE)
        need_text(content, "url")
        if content.get("media_id"):
            need_media(platform, read_text(content, "media_id"), "image", "moment")
        return
    need_media(platform, need_text(content, "media_id"), kind, "moment")


def _read_senders(platform: Platform, visible: Json) -> tuple[list[str], Json]:
    """Return (members who can publish, those named in vain); without a list all who serve customers."""
    serving = [row for row in platform.world.members.rows.values() if row.serves and row.visible]
    if not visible.get("sender_list"):
        return [row.userid for row in serving], {}
    given = need_object(visible, "sender_list")
    users = read_texts(given, "user_list", MOST_SENDERS, 40032)
    departments = read_numbers(given, "department_list", MOST_SENDERS)
    known = {row.userid for row in serving}
    found = [user for user in users if user in known]
    lost = [department for department in departments if str(department) not in platform.world.departments.rows]
    for department in departments:
        below = platform.world.list_departments_below(department)
        found += [row.userid for row in serving if row.department in below]
    invalid: Json = {}
    if any(user not in known for user in users):
        invalid["user_list"] = [user for user in users if user not in known]
    if lost:
        invalid["department_list"] = lost
    return list(dict.fromkeys(found)), invalid


def _read_tags(platform: Platform, visible: Json) -> tuple[set[str] | None, list[str]]:
    """Return (known tags, unknown ones); None means every customer."""
    if not visible.get("external_contact_list"):
        return None, []
    asked = read_texts(need_object(visible, "external_contact_list"), "tag_list", 100)
    known = {tag.id for group in platform.world.tag_groups.rows.values() for tag in group.tags}
    return {tag for tag in asked if tag in known} if asked else None, [tag for tag in asked if tag not in known]


def _list_audience(platform: Platform, userid: str, tags: set[str] | None) -> list[str]:
    follows = platform.world.list_follows_of(userid)
    return [row.external_userid for row in follows if tags is None or tags.intersection(row.tag_ids)]


def _check_pace(platform: Platform) -> None:
    """Refuse the 11th task of a minute (45009) and the 100 001st of a month (41210)."""
    if platform.count_recent("moments", 60) >= PER_MINUTE:
        raise ApiError(45009)
    month = f"moments:{datetime.fromtimestamp(platform.clock.now(), CHINA):%Y-%m}"
    used = platform.world.counters.find(month)
    if used is not None and used.value >= PER_MONTH:
        raise ApiError(41210)
    platform.note_recent("moments")
    platform.world.next_number(month)


def get_moment_task_result(platform: Platform, call: ApiCall) -> Answer:
    """Return how the making of a moment stands; a job is known for 24 h."""
    jobid = need_text(call.body, "jobid")
    moment = next((row for row in platform.world.moments.rows.values() if row.jobid == jobid), None)
    now = platform.clock.now()
    if moment is None or now > moment.created_at + JOB_LIFE.total_seconds():
        raise ApiError(40088)
    done = now >= moment.created_at + platform.config.broadcast_settle_seconds
    failed = done and not moment.tasks
    result: Json = {
        "errcode": 41048 if failed else 0,
        "errmsg": "no customer that can be sent to" if failed else "ok",
        "moment_id": moment.moment_id if done and not failed else "",
        "invalid_sender_list": moment.invalid_senders,
        "invalid_external_contact_list": {"tag_list": moment.invalid_tags},
    }
    return ok(status=DONE if done else STARTED, type="add_moment_task", result=result)


def cancel_moment_task(platform: Platform, call: ApiCall) -> Answer:
    """Withdraw a moment from members who have not published it; a second time answers 41093."""
    moment = _need_moment(platform, call.body)
    if moment.cancelled:
        raise ApiError(41093)
    moment.cancelled = True
    platform.world.moments.put(moment)
    return ok()


def _need_moment(platform: Platform, body: Json) -> Moment:
    moment = platform.world.moments.find(need_text(body, "moment_id", 41059))
    if moment is None or not moment.tasks:
        raise ApiError(41060)
    return moment


def get_moment_list(platform: Platform, call: ApiCall) -> Answer:
    """Return moments made in a span of at most 30 days."""
    body = call.body
    start = read_number(body, "start_time", None, 0, 2**53)
    end = read_number(body, "end_time", None, 0, 2**53)
    if end < start or end - start > LONGEST_LIST_SPAN.total_seconds():
        raise ApiError(40058, "invalid parameter: the span may be at most 30 days")
    creator = read_text(body, "creator")
    filter_type = read_number(body, "filter_type", 2, 0, 2)
    limit = read_number(body, "limit", 20, 1, 20)
    found = [
        row
        for row in platform.world.moments.rows.values()
        if row.tasks
        and start <= int(row.created_at) <= end
        and creator in {"", row.creator}
        and filter_type in {2, row.create_type}
    ]
    shown, following = page(found, read_text(body, "cursor"), limit)
    return _paged({"moment_list": [_summary(row) for row in shown]}, following)


def _summary(moment: Moment) -> Json:
    row: Json = {
        "moment_id": moment.moment_id,
        "creator": moment.creator,
        "create_time": int(moment.created_at),
        "create_type": moment.create_type,
        "visible_type": moment.visible_type,
        "text": {"content": moment.text},
    }
    images = [item["image"] for item in moment.attachments if item["msgtype"] == "image"]
    if images:
        row["image"] = [{"media_id": image["media_id"]} for image in images]
    for item in moment.attachments:
        if item["msgtype"] == "video":
            row["video"] = {"media_id": item["video"]["media_id"], "thumb_media_id": ""}
        if item["msgtype"] == "link":
            row["link"] = {"title": item["link"].get("title", ""), "url": item["link"]["url"]}
    return row


def get_moment_task(platform: Platform, call: ApiCall) -> Answer:
    """Return per member whether the moment was published."""
    moment = _need_moment(platform, call.body)
    if moment.create_type:
        raise ApiError(41060, "a member's own moment has no tasks")
    limit = read_number(call.body, "limit", 500, 1, 1000)
    shown, following = page(moment.tasks, read_text(call.body, "cursor"), limit)
    rows = [{"userid": task.userid, "publish_status": int(task.published_at > 0)} for task in shown]
    return _paged({"task_list": rows}, following)


def get_moment_customer_list(platform: Platform, call: ApiCall) -> Answer:
    """Return the customers a member chose for the moment."""
    moment = _need_moment(platform, call.body)
    task = _need_task(moment, call.body)
    limit = read_number(call.body, "limit", 500, 1, 1000)
    shown, following = page(task.customers, read_text(call.body, "cursor"), limit)
    rows = [{"userid": task.userid, "external_userid": customer} for customer in shown]
    return _paged({"customer_list": rows}, following)


def get_moment_send_result(platform: Platform, call: ApiCall) -> Answer:
    """Return the customers who can see what a member published."""
    moment = _need_moment(platform, call.body)
    task = _need_task(moment, call.body)
    if not task.published_at:
        raise ApiError(41062)
    limit = read_number(call.body, "limit", 3000, 1, 5000)
    shown, following = page(task.customers, read_text(call.body, "cursor"), limit)
    return _paged({"customer_list": [{"external_userid": customer} for customer in shown]}, following)


def get_moment_comments(platform: Platform, call: ApiCall) -> Answer:
    """Return comments and likes under what a member published."""
    moment = _need_moment(platform, call.body)
    task = _need_task(moment, call.body)
    if not task.published_at:
        raise ApiError(41062)
    return ok(
        comment_list=[_reaction(platform, row) for row in task.reactions if not row.like],
        like_list=[_reaction(platform, row) for row in task.reactions if row.like],
    )


def _reaction(platform: Platform, row: MomentReaction) -> Json:
    name = "userid" if row.person in platform.world.members.rows else "external_userid"
    return {name: row.person, "create_time": row.create_time}


def _need_task(moment: Moment, body: Json) -> MomentTask:
    task = find_task(moment.tasks, need_text(body, "userid"))
    if task is None:
        raise ApiError(41061)
    return task


def find_task(tasks: Sequence[MomentTask], userid: str) -> MomentTask | None:
    """Return a member's part of a moment, or None."""
    return next((task for task in tasks if task.userid == userid), None)


def _paged(fields: Json, following: str) -> Json:
    answer = ok(**fields)
    if following:
        answer["next_cursor"] = following
    return answer


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/add_moment_task": Endpoint(add_moment_task, APP),
    "POST /cgi-bin/externalcontact/get_moment_task_result": Endpoint(get_moment_task_result, APP),
    "POST /cgi-bin/externalcontact/cancel_moment_task": Endpoint(cancel_moment_task, APP),
    "POST /cgi-bin/externalcontact/get_moment_list": Endpoint(get_moment_list, APP),
    "POST /cgi-bin/externalcontact/get_moment_task": Endpoint(get_moment_task, APP),
    "POST /cgi-bin/externalcontact/get_moment_customer_list": Endpoint(get_moment_customer_list, APP),
    "POST /cgi-bin/externalcontact/get_moment_send_result": Endpoint(get_moment_send_result, APP),
    "POST /cgi-bin/externalcontact/get_moment_comments": Endpoint(get_moment_comments, APP),
}
