"""Corp tags of customers (05, 5.2): list, add, change, remove, and mark a pair of member and customer."""

from collections.abc import Iterable

from simulator.api.contacts import need_follow
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_text, read_number, read_objects, read_text, read_texts
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Json, Tag, TagGroup

LONGEST_NAME = 30
HIGHEST_ORDER = 2**32 - 1
MOST_IDS = 10_000
NOT_OURS = 60011  # the documents name no code for a tag that another app or the console made


def get_corp_tag_list(platform: Platform, call: ApiCall) -> Answer:
    """Return all corp tags, or those asked for by tag_id or group_id."""
    tag_ids = set(read_texts(call.body, "tag_id", MOST_IDS))
    group_ids = set(read_texts(call.body, "group_id", MOST_IDS))
    groups = []
    for group in platform.world.tag_groups.rows.values():
        if group_ids and not tag_ids and group.group_id not in group_ids:
            continue
        tags = [tag for tag in group.tags if not tag_ids or tag.id in tag_ids]
        if tags:
            groups.append(_group(group, tags))
    return ok(tag_group=groups)


def _group(group: TagGroup, tags: Iterable[Tag]) -> Json:
    return {
        "group_id": group.group_id,
        "group_name": group.group_name,
        "create_time": group.create_time,
        "order": group.order,
        "tag": [
            {"id": tag.id, "name": tag.name, "order": tag.order, "create_time": tag.create_time or group.create_time}
            for tag in tags
        ],
    }


def add_corp_tag(platform: Platform, call: ApiCall) -> Answer:
    """Add tags to a group by its id, or by its name, which makes the group when there is none."""
    body = call.body
    group_id, group_name = read_text(body, "group_id"), read_text(body, "group_name", LONGEST_NAME)
    if not group_id and not group_name:
        raise ApiError(40063, "group_id or group_name is required")
    order = read_number(body, "order", 0, 0, HIGHEST_ORDER)
    asked = read_objects(body, "tag", MOST_IDS, 40126)
    if not asked:
        raise ApiError(40063, "missing or empty: tag")
    _check_agent(platform, body)
    group = _find_group(platform, group_id, group_name)
    names = [_read_name(row) for row in asked]
    _check_new_names(group, names)
    if _count_tags(platform) + len(names) > platform.config.corp_tag_cap:
        raise ApiError(40126)
    now = platform.clock.seconds()
    orders = [read_number(row, "order", 0, 0, HIGHEST_ORDER) for row in asked]
    if group is None:
        group = TagGroup(platform.new_id("etg")[:32], group_name, order, now, [], by_app=True)
    made = [
        Tag(platform.new_id("et")[:32], name, place, now, by_app=True)
        for name, place in zip(names, orders, strict=True)
    ]
    group.tags = [*group.tags, *made]
    platform.world.tag_groups.put(group)
    return ok(tag_group=_group(group, made))


def _find_group(platform: Platform, group_id: str, group_name: str) -> TagGroup | None:
    groups = platform.world.tag_groups
    if group_id:
        group = groups.find(group_id)
        if group is None:
            raise ApiError(40068, "invalid group_id")
        return group
    return next((row for row in groups.rows.values() if row.group_name == group_name), None)


def _read_name(row: Json) -> str:
    need_text(row, "name")
    return read_text(row, "name", LONGEST_NAME)


def _check_new_names(group: TagGroup | None, names: list[str]) -> None:
    known = {tag.name for tag in group.tags} if group is not None else set()
    if len(set(names)) < len(names) or known.intersection(names):
        raise ApiError(40058, "invalid parameter: a tag of this name exists in the group")


def _count_tags(platform: Platform) -> int:
    return sum(len(group.tags) for group in platform.world.tag_groups.rows.values())


def _check_agent(platform: Platform, body: Json) -> None:
    if body.get("agentid") is not None and str(body["agentid"]) != str(platform.config.agent_id):
        raise ApiError(40056)


def edit_corp_tag(platform: Platform, call: ApiCall) -> Answer:
    """Rename or move a tag or a group that this app made."""
    body = call.body
    wanted = need_text(body, "id")
    _check_agent(platform, body)
    group, tag = find_tag(platform, wanted)
    row: Tag | TagGroup = tag or group
    if not row.by_app:
        raise ApiError(NOT_OURS)
    name = read_text(body, "name", LONGEST_NAME)
    order = read_number(body, "order", row.order, 0, HIGHEST_ORDER)
    if tag is not None and name and name != tag.name:
        _check_new_names(group, [name])
    rename(row, name)
    row.order = order
    platform.world.tag_groups.put(group)
    return ok()


def rename(row: Tag | TagGroup, name: str) -> None:
    """Give a tag or group another name; "" leaves it."""
    if isinstance(row, Tag):
        row.name = name or row.name
    else:
        row.group_name = name or row.group_name


def find_tag(platform: Platform, wanted: str) -> tuple[TagGroup, Tag | None]:
    """Return a group by its id, or a tag with its group; 40068 when the id is neither's."""
    group = platform.world.tag_groups.find(wanted)
    if group is not None:
        return group, None
    for row in platform.world.tag_groups.rows.values():
        for tag in row.tags:
            if tag.id == wanted:
                return row, tag
    raise ApiError(40068)


def del_corp_tag(platform: Platform, call: ApiCall) -> Answer:
    """Remove tags and whole groups that this app made; customers lose them."""
    body = call.body
    wanted = [*read_texts(body, "tag_id", MOST_IDS), *read_texts(body, "group_id", MOST_IDS)]
    if not wanted:
        raise ApiError(40063, "tag_id or group_id is required")
    _check_agent(platform, body)
    found = [find_tag(platform, one) for one in wanted]
    if not all((tag or group).by_app for group, tag in found):
        raise ApiError(NOT_OURS)
    for group, tag in found:
        remove_tag(platform, group, tag)
    return ok()


def remove_tag(platform: Platform, group: TagGroup, tag: Tag | None) -> None:
    """Remove one tag, or the whole group when `tag` is None; a group without tags goes with its last one."""
    gone = {row.id for row in group.tags} if tag is None else {tag.id}
    group.tags = [row for row in group.tags if row.id not in gone]
    for follow in platform.world.follows.rows.values():
        if gone.intersection(follow.tag_ids):
            follow.tag_ids = [tag_id for tag_id in follow.tag_ids if tag_id not in gone]
            platform.world.follows.put(follow)
    if group.tags:
        platform.world.tag_groups.put(group)
    else:
        platform.world.tag_groups.remove(group.group_id)


def mark_tag(platform: Platform, call: ApiCall) -> Answer:
    """Add and remove corp tags on one relation; no callback follows."""
    body = call.body
    userid, external_userid = need_text(body, "userid"), need_text(body, "external_userid", 41035)
    adding, removing = read_texts(body, "add_tag", MOST_IDS), read_texts(body, "remove_tag", MOST_IDS)
    if not adding and not removing:
        raise ApiError(40063, "add_tag or remove_tag is required")
    follow = need_follow(platform, userid, external_userid)
    check_tags_exist(platform, [*adding, *removing])
    kept = [tag for tag in follow.tag_ids if tag not in removing]
    follow.tag_ids = kept + [tag for tag in dict.fromkeys(adding) if tag not in kept]
    platform.world.follows.put(follow)
    return ok()


def check_tags_exist(platform: Platform, tag_ids: Iterable[str]) -> None:
    """Refuse ids of no corp tag with 40068."""
    known = {tag.id for group in platform.world.tag_groups.rows.values() for tag in group.tags}
    if not known.issuperset(tag_ids):
        raise ApiError(40068)


def get_strategy_tag_list(_platform: Platform, _call: ApiCall) -> Answer:
    """Return the tags of strategy groups: this corp has none."""
    return ok(tag_group=[])


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/get_corp_tag_list": Endpoint(get_corp_tag_list, APP),
    "POST /cgi-bin/externalcontact/add_corp_tag": Endpoint(add_corp_tag, APP),
    "POST /cgi-bin/externalcontact/edit_corp_tag": Endpoint(edit_corp_tag, APP),
    "POST /cgi-bin/externalcontact/del_corp_tag": Endpoint(del_corp_tag, APP),
    "POST /cgi-bin/externalcontact/mark_tag": Endpoint(mark_tag, APP),
    "POST /cgi-bin/externalcontact/get_strategy_tag_list": Endpoint(get_strategy_tag_list, APP),
}
