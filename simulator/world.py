"""The simulated corp in memory: its shelves, the indexes over them, and the questions asked most."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from simulator.state import (
    AccessToken,
    AppMessage,
    ArchiveRecord,
    BotAnswer,
    Broadcast,
    CardCode,
    ChatKind,
    ChatMessage,
    ClockMark,
    Counter,
    Customer,
    DeliveryRow,
    Department,
    Follow,
    Group,
    KfCode,
    KfItem,
    KfMsgId,
    KfSession,
    KfToken,
    Media,
    Member,
    QuotaUse,
    SenderKind,
    SentRequest,
    TagGroup,
    WelcomeCode,
)
from simulator.state_aibot import BotCard, BotFile, BotTalk, FeedbackMark
from simulator.state_apps import (
    AppChat,
    DirectoryTag,
    JsTicket,
    LoginCode,
    Robot,
    UploadedImage,
    UploadJob,
    UserTicket,
)
from simulator.state_archive import ArchiveSwitches
from simulator.state_contacts import (
    AcquiredCustomer,
    AcquisitionLink,
    ChatKey,
    ContactWay,
    Departed,
    GroupTransfer,
    InterceptRule,
    JoinWay,
    Moment,
    Product,
    TemporaryId,
    Transfer,
    WelcomeTemplate,
)
from simulator.state_kf import (
    KfAccount,
    KfIntent,
    KfKnowledgeGroup,
    KfServicer,
    KfServicerDepartment,
    KfUpgrade,
)
from simulator.storage import Journal, Shelf


def pair_key(userid: str, external_userid: str) -> str:
    """Return the key of one member and one customer, as conversations of kind `single` use it."""
    return f"{userid}|{external_userid}"


class World:
    """All rows of one corp: seeded, then overlaid with what the journal kept."""

    def __init__(self, journal: Journal, seed: "Callable[[World], None]") -> None:
        self.journal = journal
        self._seed = seed
        self._make_shelves(journal)
        self._fill()

    def list_shelves(self) -> "list[Shelf[Any]]":
        """Return all shelves."""
        return [shelf for shelf in vars(self).values() if isinstance(shelf, Shelf)]

    def _make_shelves(self, journal: Journal) -> None:
        self.departments = Shelf("department", Department, lambda row: str(row.id), journal)
        self.members = Shelf("member", Member, lambda row: row.userid, journal)
        self.customers = Shelf("customer", Customer, lambda row: row.external_userid, journal)
        self.follows = Shelf("follow", Follow, lambda row: pair_key(row.userid, row.external_userid), journal)
        self.tag_groups = Shelf("tag_group", TagGroup, lambda row: row.group_id, journal)
        self.groups = Shelf("group", Group, lambda row: row.chat_id, journal)
        self.groups_by_owner = self.groups.index(lambda row: (row.owner,))
        self.messages = Shelf("message", ChatMessage, lambda row: str(row.seq), journal)
        self.archive = Shelf("archive", ArchiveRecord, lambda row: str(row.seq), journal)
        self.archive_switches = Shelf("archive_switches", ArchiveSwitches, lambda row: row.name, journal)
        self.app_messages = Shelf("app_message", AppMessage, lambda row: row.msgid, journal)
        self.card_codes = Shelf("card_code", CardCode, lambda row: row.code, journal)
        self.welcome_codes = Shelf("welcome_code", WelcomeCode, lambda row: row.code, journal)
        self.broadcasts = Shelf("broadcast", Broadcast, lambda row: row.msgid, journal)
        self.quota = Shelf("quota", QuotaUse, lambda row: f"{row.target}|{row.day}", journal)
        self.kf_items = Shelf("kf_item", KfItem, lambda row: str(row.seq), journal)
        self.kf_sessions = Shelf("kf_session", KfSession, lambda row: f"{row.open_kfid}|{row.external_userid}", journal)
        self.kf_codes = Shelf("kf_code", KfCode, lambda row: row.code, journal)
        self.kf_tokens = Shelf("kf_token", KfToken, lambda row: row.token, journal)
        self.kf_msgids = Shelf("kf_msgid", KfMsgId, lambda row: f"{row.open_kfid}|{row.msgid}", journal)
        self.bot_answers = Shelf("bot_answer", BotAnswer, lambda row: row.code, journal)
        self.bot_talks = Shelf("bot_talk", BotTalk, lambda row: row.msgid, journal)
        self.bot_cards = Shelf("bot_card", BotCard, lambda row: row.task_id, journal)
        self.bot_feedback_marks = Shelf("bot_feedback_mark", FeedbackMark, lambda row: row.feedback_id, journal)
        self.bot_files = Shelf("bot_file", BotFile, lambda row: row.file_id, journal)
        self.media = Shelf("media", Media, lambda row: row.media_id, journal)
        self.sent = Shelf("sent", SentRequest, lambda row: str(row.seq), journal)
        self.tokens = Shelf("token", AccessToken, lambda row: row.token, journal)
        self.counters = Shelf("counter", Counter, lambda row: row.name, journal)
        self.deliveries = Shelf("delivery", DeliveryRow, lambda row: row.id, journal)
        self.clock_marks = Shelf("clock", ClockMark, lambda row: row.name, journal)
        self._make_kf_shelves(journal)
        self._make_contact_shelves(journal)
        self._make_app_shelves(journal)

    def _make_kf_shelves(self, journal: Journal) -> None:
        self.kf_accounts = Shelf("kf_account", KfAccount, lambda row: row.open_kfid, journal)
        self.kf_servicers = Shelf("kf_servicer", KfServicer, lambda row: f"{row.open_kfid}|{row.userid}", journal)
        self.kf_servicer_departments = Shelf(
            "kf_servicer_department", KfServicerDepartment, lambda row: f"{row.open_kfid}|{row.department_id}", journal
        )
        self.kf_upgrades = Shelf("kf_upgrade", KfUpgrade, lambda row: f"{row.open_kfid}|{row.external_userid}", journal)
        self.kf_groups = Shelf("kf_group", KfKnowledgeGroup, lambda row: row.group_id, journal)
        self.kf_intents = Shelf("kf_intent", KfIntent, lambda row: row.intent_id, journal)

    def _make_contact_shelves(self, journal: Journal) -> None:
        self.contact_ways = Shelf("contact_way", ContactWay, lambda row: row.config_id, journal)
        self.join_ways = Shelf("join_way", JoinWay, lambda row: row.config_id, journal)
        self.welcome_templates = Shelf("welcome_template", WelcomeTemplate, lambda row: row.template_id, journal)
        self.moments = Shelf("moment", Moment, lambda row: row.moment_id, journal)
        self.departed = Shelf("departed", Departed, lambda row: row.userid, journal)
        self.transfers = Shelf("transfer", Transfer, lambda row: str(row.number), journal)
        self.group_transfers = Shelf("group_transfer", GroupTransfer, lambda row: str(row.number), journal)
        self.intercept_rules = Shelf("intercept_rule", InterceptRule, lambda row: row.rule_id, journal)
        self.products = Shelf("product", Product, lambda row: row.product_id, journal)
        self.links = Shelf("acquisition_link", AcquisitionLink, lambda row: row.link_id, journal)
        self.acquired = Shelf(
            "acquired_customer", AcquiredCustomer, lambda row: pair_key(row.userid, row.external_userid), journal
        )
        self.chat_keys = Shelf("chat_key", ChatKey, lambda row: row.key, journal)
        self.temporary_ids = Shelf("temporary_id", TemporaryId, lambda row: row.tmp_id, journal)

    def _make_app_shelves(self, journal: Journal) -> None:
        self.appchats = Shelf("appchat", AppChat, lambda row: row.chatid, journal)
        self.robots = Shelf("robot", Robot, lambda row: row.key, journal)
        self.directory_tags = Shelf("directory_tag", DirectoryTag, lambda row: str(row.tagid), journal)
        self.upload_jobs = Shelf("upload_job", UploadJob, lambda row: row.jobid, journal)
        self.login_codes = Shelf("login_code", LoginCode, lambda row: row.code, journal)
        self.user_tickets = Shelf("user_ticket", UserTicket, lambda row: row.ticket, journal)
        self.js_tickets = Shelf("js_ticket", JsTicket, lambda row: row.kind, journal)
        self.images = Shelf("image", UploadedImage, lambda row: row.image_id, journal)

    def _fill(self) -> None:
        by_name = {shelf.name: shelf for shelf in self.list_shelves()}
        if self.journal.find_bank() is None:
            self._seed(self)
        for name, key, value in itertools.chain(self.journal.load_bank(), self.journal.load()):
            by_name[name].restore(key, value)
        self._follows_of: dict[str, list[Follow]] = defaultdict(list)
        self._followers_of: dict[str, list[Follow]] = defaultdict(list)
        for follow in self.follows.rows.values():
            self._index_follow(follow)
        self._card_messages: dict[str, AppMessage] = {}
        self._latest_by_content: dict[str, AppMessage] = {}
        for sent in self.app_messages.rows.values():
            self._index_app_message(sent)
        self._talk: dict[tuple[ChatKind, str], list[ChatMessage]] = defaultdict(list)
        self._app_lines: dict[str, list[ChatMessage]] = defaultdict(list)
        for message in sorted(self.messages.rows.values(), key=lambda row: row.seq):
            self._index_line(message)

    def reset(self) -> None:
        """Forget everything that happened and make the seeded bank anew."""
        self.journal.wipe()
        self._make_shelves(self.journal)
        self._fill()

    def next_number(self, name: str) -> int:
        """Return the next value of a counter, from 1, never repeated, also over restarts."""
        counter = self.counters.find(name) or Counter(name, 0)
        counter.value += 1
        return self.counters.put(counter).value

    # people

    def add_follow(self, follow: Follow) -> None:
        """Add a relation, or renew one that had ended."""
        old = self.follows.find(pair_key(follow.userid, follow.external_userid))
        if old is not None:
            self._follows_of[old.userid].remove(old)
            self._followers_of[old.external_userid].remove(old)
        self._index_follow(self.follows.put(follow))

    def drop_follow(self, follow: Follow) -> None:
        """Take a relation away altogether, for one that will be kept under another id."""
        self._follows_of[follow.userid].remove(follow)
        self._followers_of[follow.external_userid].remove(follow)
        self.follows.remove(pair_key(follow.userid, follow.external_userid))

    def _index_follow(self, follow: Follow) -> None:
        self._follows_of[follow.userid].append(follow)
        self._followers_of[follow.external_userid].append(follow)

    def find_follow(self, userid: str, external_userid: str) -> Follow | None:
        """Return the living relation of the two, or None."""
        follow = self.follows.find(pair_key(userid, external_userid))
        return follow if follow is not None and follow.ended_by is None else None

    def list_follows_of(self, userid: str) -> list[Follow]:
        """Return the living relations of a member, oldest first."""
        return [follow for follow in self._follows_of.get(userid, []) if follow.ended_by is None]

    def follows_ever_of(self, userid: str) -> list[Follow]:
        """Return all relations of a member, also those that ended, oldest first."""
        return list(self._follows_of.get(userid, []))

    def list_followers_of(self, external_userid: str) -> list[Follow]:
        """Return the living relations of a customer, oldest first."""
        return [follow for follow in self._followers_of.get(external_userid, []) if follow.ended_by is None]

    def find_member(self, userid: str) -> Member | None:
        """Return a member; userids compare without regard to case."""
        return self.members.find(userid) or self.members.find(userid.lower())

    def name_of(self, person: str) -> str:
        """Return the name of a member or customer, or the id itself when it is neither."""
        member = self.members.find(person)
        if member is not None:
            return member.name
        customer = self.customers.find(person)
        return customer.name if customer is not None else person

    def kind_of(self, person: str) -> SenderKind:
        """Say whether an id is a member's or a customer's."""
        return SenderKind.STAFF if person in self.members.rows else SenderKind.CUSTOMER

    def list_departments_below(self, department_id: int) -> set[int]:
        """Return a department with all its descendants."""
        found = {department_id}
        grown = True
        while grown:
            more = {row.id for row in self.departments.rows.values() if row.parentid in found} - found
            grown = bool(more)
            found |= more
        return found

    def list_groups_owned_by(self, userid: str) -> list[Group]:
        """Return the customer groups of an owner."""
        return list(self.groups_by_owner.list(userid))

    # conversations

    def list_talk(self, kind: ChatKind, key: str) -> list[ChatMessage]:
        """Return the lines of a conversation, oldest first."""
        return self._talk.get((kind, key), [])

    def add_line(self, message: ChatMessage) -> ChatMessage:
        """Add a line to its conversation."""
        self._index_line(message)
        return self.messages.put(message)

    def _index_line(self, message: ChatMessage) -> None:
        self._talk[(message.kind, message.key)].append(message)
        if message.kind is ChatKind.APP:
            self._app_lines[message.id].append(message)

    def change_line(self, message: ChatMessage) -> None:
        """Store a changed line under a new revision, so that pollers see it again."""
        message.rev = self.next_number("line")
        self.messages.put(message)

    def iter_kf_items(self, after: int) -> Iterator[KfItem]:
        """Yield what sync_msg can return after a number, in order; the items before are not looked at."""
        newest = self.counters.find("kf")
        for seq in range(after + 1, newest.value + 1 if newest is not None else 0):
            row = self.kf_items.find(str(seq))
            if row is not None:
                yield row

    # messages of the app

    def add_app_message(self, message: AppMessage) -> None:
        """Keep a message the app sent."""
        self._index_app_message(self.app_messages.put(message))

    def _index_app_message(self, message: AppMessage) -> None:
        task_id = (message.body.get("template_card") or {}).get("task_id")
        if task_id:
            self._card_messages[task_id] = message
        self._latest_by_content[message.fingerprint] = message

    def find_card_message(self, task_id: str) -> AppMessage | None:
        """Return the message that carries the card with this task id."""
        return self._card_messages.get(task_id)

    def find_latest_like(self, fingerprint: str) -> AppMessage | None:
        """Return the newest message with the same recipients and content."""
        return self._latest_by_content.get(fingerprint)

    def find_lines(self, msgid: str, keys: Iterable[str] | None = None) -> list[ChatMessage]:
        """Return the lines that show one app message, in the chats of `keys` or in all."""
        chats = None if keys is None else set(keys)
        return [line for line in self._app_lines.get(msgid, ()) if chats is None or line.key in chats]
