"""Template cards and the other card-like bodies: the documented checks, and how a phone shows them (04, 4.3)."""

import re
from collections.abc import Iterable

from simulator.api.params import check_bytes, need_object, need_text, read_number, read_objects, read_text
from simulator.errors import ApiError
from simulator.state import Json

TASK_ID = re.compile(r"[0-9A-Za-z_@-]{1,128}")
TAGS = re.compile(r"<[^>]*>")
CARD_TYPES = frozenset({"text_notice", "news_notice", "button_interaction", "vote_interaction", "multiple_interaction"})
INTERACTIVE = frozenset({"button_interaction", "vote_interaction", "multiple_interaction"})


def check_template_card(card: Json, *, replacing: bool = False) -> None:
    """Refuse a card the platform would not accept.

    `replacing` is for an update: there `replace_text` may stand where the buttons were.

    Raises:
        ApiError: 40063/40058 for fields, 42014 for a bad task_id, 42018-42020 for buttons.
    """
    card_type = need_text(card, "card_type")
    if card_type not in CARD_TYPES:
        raise ApiError(40058, "invalid parameter: card_type")
    _check_common(card)
    if card_type in INTERACTIVE or card.get("action_menu"):
        task_id = need_text(card, "task_id", 42014)
        if not TASK_ID.fullmatch(task_id):
            raise ApiError(42014)
    if replacing and read_text(card, "replace_text"):
        return
    checks = {
        "text_notice": _check_text_notice,
        "news_notice": _check_news_notice,
        "button_interaction": _check_buttons,
        "vote_interaction": _check_vote,
        "multiple_interaction": _check_selects,
    }
    checks[card_type](card)


def _check_common(card: Json) -> None:
    _check_objects(card)
    read_text(card, "sub_title_text")
    if card.get("source"):
        read_number(card["source"], "desc_color", 0, 0, 3)
    for fact in read_objects(card, "horizontal_content_list", 6):
        need_text(fact, "keyname")
        _check_target(fact, "horizontal_content_list", {0: "", 1: "url", 2: "media_id", 3: "userid"})
    for jump in read_objects(card, "jump_list", 3):
        need_text(jump, "title")
        _check_target(jump, "jump_list", {0: "", 1: "url", 2: "appid"})
    if card.get("quote_area"):
        _check_target(card["quote_area"], "quote_area", {0: "", 1: "url", 2: "appid"})
    if card.get("action_menu"):
        actions = read_objects(card["action_menu"], "action_list", 3)
        if not actions:
            raise ApiError(40063, "action_menu.action_list is required")
        for action in actions:
            need_text(action, "text", 42020)
            _check_key(action)


def _check_objects(card: Json) -> None:
    """Refuse a part that is given but is no object."""
    for name in ("source", "main_title", "quote_area", "emphasis_content", "action_menu", "card_action", "card_image"):
        if card.get(name) and not isinstance(card[name], dict):
            raise ApiError(40058, f"invalid parameter: {name} must be an object")


def _check_target(row: Json, name: str, needs: dict[int, str]) -> None:
    """Refuse a row whose `type` is unknown, or that lacks what its type points to."""
    kind = row.get("type", 0)
    if isinstance(kind, bool) or kind not in needs:
        raise ApiError(40058, f"invalid parameter: {name}.type")
    if needs[kind]:
        need_text(row, needs[kind])


def _check_text_notice(card: Json) -> None:
    if not _main_title(card) and not read_text(card, "sub_title_text"):
        raise ApiError(40063, "main_title.title or sub_title_text is required")
    _check_card_action(card)


def _check_news_notice(card: Json) -> None:
    if not card.get("card_image") and not card.get("image_text_area"):
        raise ApiError(40063, "card_image or image_text_area is required")
    if card.get("card_image"):
        need_text(card["card_image"], "url")
    if card.get("image_text_area"):
        area = need_object(card, "image_text_area")
        _check_target(area, "image_text_area", {0: "", 1: "url", 2: "appid"})
        need_text(area, "image_url")
    for row in read_objects(card, "vertical_content_list", 4):
        need_text(row, "title")
    _check_card_action(card)


def _check_card_action(card: Json) -> None:
    action = need_object(card, "card_action")
    if action.get("type") not in {1, 2}:
        raise ApiError(40058, "invalid parameter: card_action.type")
    need_text(action, "url" if action["type"] == 1 else "appid")


def _check_buttons(card: Json) -> None:
    if not _main_title(card):
        raise ApiError(40063, "main_title.title is required")
    buttons = read_objects(card, "button_list", 6)
    if not buttons:
        raise ApiError(40063, "button_list is required")
    for button in buttons:
        need_text(button, "text", 42020)
        if button.get("type") == 1:
            need_text(button, "url")
        else:
            _check_key(button)
        if button.get("style", 1) not in {1, 2, 3, 4}:
            raise ApiError(40058, "invalid parameter: button_list.style")
    if card.get("button_selection"):
        _check_select(need_object(card, "button_selection"))


def _check_key(button: Json) -> None:
    check_bytes(need_text(button, "key", 42019), 1024, "key", 42018)


def _check_vote(card: Json) -> None:
    box = need_object(card, "checkbox")
    check_bytes(need_text(box, "question_key"), 1024, "question_key", 40058)
    read_number(box, "mode", 0, 0, 1)
    _check_options(box, 20)
    _check_submit(card)


def _check_selects(card: Json) -> None:
    selects = read_objects(card, "select_list", 3)
    if not selects:
        raise ApiError(40063, "select_list is required")
    for select in selects:
        _check_select(select)
    _check_submit(card)


def _check_select(select: Json) -> None:
    check_bytes(need_text(select, "question_key"), 1024, "question_key", 40058)
    _check_options(select, 10)


def _check_options(owner: Json, most: int) -> None:
    options = read_objects(owner, "option_list", most)
    if not options:
        raise ApiError(40063, "option_list is required")
    ids = [check_bytes(need_text(option, "id"), 128, "option id", 40058) for option in options]
    if len(set(ids)) < len(ids):
        raise ApiError(40058, "invalid parameter: option_list.id is repeated")
    for option in options:
        need_text(option, "text")


def _check_submit(card: Json) -> None:
    submit = need_object(card, "submit_button")
    need_text(submit, "text", 42020)
    _check_key(submit)


def check_textcard(card: Json) -> None:
    """Refuse a textcard beyond its limits."""
    need_text(card, "title")
    read_text(card, "title", 128)
    need_text(card, "description")
    read_text(card, "description", 512)
    check_bytes(need_text(card, "url"), 2048, "url", 40058)
    read_text(card, "btntxt", 4)


def check_menu(menu: Json) -> None:
    """Refuse a kf msgmenu beyond its limits (07, 7.3)."""
    check_bytes(read_text(menu, "head_content"), 1024, "head_content")
    check_bytes(read_text(menu, "tail_content"), 1024, "tail_content")
    items = read_objects(menu, "list", 50)
    if not items and not menu.get("head_content") and not menu.get("tail_content"):
        raise ApiError(40063, "msgmenu is empty")
    for item in items:
        kind = need_text(item, "type")
        if kind not in {"click", "view", "miniprogram", "text"}:
            raise ApiError(40058, "invalid parameter: msgmenu.list.type")
        need_text(need_object(item, kind), "content")


# how a phone shows them


def _view(
    title: str,
    description: str,
    facts: Iterable[tuple[str, str]] = (),
    buttons: Iterable[tuple[str, str]] = (),
    url: str | None = None,
    task_id: str | None = None,
) -> Json:
    return {
        "title": title,
        "description": description,
        "facts": [list(fact) for fact in facts],
        "buttons": [{"text": text, "key": key} for text, key in buttons],
        "url": url,
        "task_id": task_id,
    }


def show_template_card(card: Json) -> Json:
    """Return the parts of a template card that the simulated phone draws."""
    main = card.get("main_title") or {}
    texts = [main.get("desc"), card.get("sub_title_text"), _quote(card)]
    facts = [(row.get("keyname", ""), row.get("value", "")) for row in card.get("horizontal_content_list") or []]
    emphasis = card.get("emphasis_content")
    if emphasis:
        facts.insert(0, (emphasis.get("desc", ""), emphasis.get("title", "")))
    buttons = [(row["text"], row.get("key") or row.get("url", "")) for row in card.get("button_list") or []]
    if card.get("submit_button"):
        buttons.append((card["submit_button"]["text"], card["submit_button"]["key"]))
    return _view(
        main.get("title") or "",
        "\n".join(text for text in texts if text),
        facts,
        buttons,
        (card.get("card_action") or {}).get("url") or _first_jump(card),
        card.get("task_id"),
    )


def _main_title(card: Json) -> str:
    main = card.get("main_title")
    return read_text(main, "title") if isinstance(main, dict) else ""


def _quote(card: Json) -> str | None:
    quote = card.get("quote_area") or {}
    return quote.get("quote_text")


def _first_jump(card: Json) -> str | None:
    return next((row["url"] for row in card.get("jump_list") or [] if row.get("url")), None)


def show_textcard(card: Json) -> Json:
    """Return what a phone draws of a textcard; div tags of its description become lines."""
    description = TAGS.sub("", card["description"].replace("</div>", "\n")).strip()
    return _view(card["title"], description, url=card["url"])


def show_menu(menu: Json) -> Json:
    """Return what a phone draws of a kf menu; the key of a button is the menu id."""
    buttons = []
    for item in menu.get("list") or []:
        entry = item[item["type"]]
        buttons.append((entry["content"], entry.get("id") or entry.get("url", "")))
    return _view(menu.get("head_content") or "", menu.get("tail_content") or "", buttons=buttons)


def list_keys(card: Json) -> set[str]:
    """Return the keys a member can press on a template card."""
    menu = (card.get("action_menu") or {}).get("action_list") or []
    rows = [*(card.get("button_list") or []), *menu]
    if card.get("submit_button"):
        rows.append(card["submit_button"])
    return {row["key"] for row in rows if row.get("key")}


def list_menu(card: Json) -> list[Json]:
    """Return the entries of a card's right-top menu."""
    return list((card.get("action_menu") or {}).get("action_list") or [])


def list_questions(card: Json) -> dict[str, set[str]]:
    """Return the questions a member answers on a card (vote, selects) with the ids of their options."""
    rows = [*(card.get("select_list") or [])]
    rows += [card[name] for name in ("checkbox", "button_selection") if card.get(name)]
    return {row["question_key"]: {option["id"] for option in row["option_list"]} for row in rows}
