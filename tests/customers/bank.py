"""A small platform in memory that answers the calls of `contacts.py` and `groupsend.py` as the dossier says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.errors import PlatformError, PlatformUnavailable

ADDED = 1_760_000_000


@dataclass
class Bank:
    """Its state is open: tests change it, then sync again. `page` makes paging visible with few customers."""

    departments: list[dict[str, Any]] = field(default_factory=list)
    members: list[dict[str, Any]] = field(default_factory=list)
    serving: list[str] = field(default_factory=list)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    follows: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tag_groups: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    page: int = 2
    calls: list[str] = field(default_factory=list)
    fail_after: int | None = None

    async def call(
        self,
        api: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        app: str = "app",
    ) -> dict[str, Any]:
        """Answer; `fail_after` calls later the line goes dead."""
        if self.fail_after is not None and len(self.calls) >= self.fail_after:
            raise PlatformUnavailable(api)
        self.calls.append(api)
        handler = getattr(self, "_" + api.split("/cgi-bin/")[1].replace("/", "_"))
        answer: dict[str, Any] = handler(dict(body or {}), dict(params or {}))
        return {"errcode": 0, "errmsg": "ok", **answer}

    def add_customer(self, staff_id: str, customer_id: str, name: str, **follow: Any) -> None:
        """Let a member serve a customer."""
        gender = follow.pop("gender", 0)
        self.profiles[customer_id] = {
            "external_userid": customer_id,
            "name": name,
            "type": 1,
            "gender": gender,
        }
        self.follows[(staff_id, customer_id)] = {
            "userid": staff_id,
            "remark": "",
            "description": "",
            "add_way": 1,
            "createtime": ADDED,
            "tag_id": [],
            **follow,
        }

    def add_group(self, chat_id: str, name: str, owner: str, customers: list[str]) -> None:
        """Open a customer group."""
        people = [{"userid": owner, "type": 1, "join_time": ADDED, "join_scene": 1}]
        people += [
            {"userid": one, "type": 2, "join_time": ADDED, "join_scene": 3, "name": self.profiles[one]["name"]}
            for one in customers
        ]
        self.groups[chat_id] = {
            "chat_id": chat_id,
            "name": name,
            "owner": owner,
            "create_time": ADDED,
            "member_list": people,
            "member_version": f"v{len(people)}",
        }

    def _department_list(self, _body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        return {"department": self.departments}

    def _user_list(self, _body: dict[str, Any], params: dict[str, str]) -> dict[str, Any]:
        wanted = int(params["department_id"])
        return {"userlist": [one for one in self.members if wanted in one["department"]]}

    def _externalcontact_get_follow_user_list(self, _body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        return {"follow_user": self.serving}

    def _externalcontact_get_corp_tag_list(self, _body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        return {
            "tag_group": [
                {
                    "group_id": f"g-{name}",
                    "group_name": name,
                    "order": 1,
                    "create_time": ADDED,
                    "tag": [{"id": tag, "name": words, "order": 1, "create_time": ADDED} for tag, words in tags],
                }
                for name, tags in self.tag_groups.items()
            ]
        }

    def _externalcontact_batch_get_by_user(self, body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        (staff_id,) = body["userid_list"]
        own = sorted(customer for staff, customer in self.follows if staff == staff_id)
        if not own:
            raise PlatformError("batch/get_by_user", 84061)
        start = int(body.get("cursor") or 0)
        end = start + self.page
        return {
            "external_contact_list": [
                {"external_contact": self.profiles[one], "follow_info": self.follows[(staff_id, one)]}
                for one in own[start:end]
            ],
            "next_cursor": str(end) if end < len(own) else "",
        }

    def _externalcontact_get(self, _body: dict[str, Any], params: dict[str, str]) -> dict[str, Any]:
        wanted = params["external_userid"]
        follows = [
            {**{k: v for k, v in follow.items() if k != "tag_id"}, "tags": self._tag_objects(follow["tag_id"])}
            for (_, customer), follow in self.follows.items()
            if customer == wanted
        ]
        if not follows:
            raise PlatformError("get", 84061)
        return {"external_contact": self.profiles[wanted], "follow_user": follows}

    def _tag_objects(self, tag_ids: list[str]) -> list[dict[str, Any]]:
        personal = [{"type": 2, "group_name": "", "tag_name": "老同学"}]
        return personal + [{"type": 1, "tag_id": tag_id, "tag_name": "", "group_name": ""} for tag_id in tag_ids]

    def _externalcontact_groupchat_list(self, body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        owners = body["owner_filter"]["userid_list"]
        own = sorted(chat for chat, group in self.groups.items() if group["owner"] in owners)
        start = int(body.get("cursor") or 0)
        end = start + self.page
        return {
            "group_chat_list": [{"chat_id": one, "status": 0} for one in own[start:end]],
            "next_cursor": str(end) if end < len(own) else "",
        }

    def _externalcontact_groupchat_get(self, body: dict[str, Any], _params: dict[str, str]) -> dict[str, Any]:
        if body["chat_id"] not in self.groups:
            raise PlatformError("groupchat/get", 49008)
        return {"group_chat": self.groups[body["chat_id"]]}


def a_bank() -> Bank:
    """Two branches, two members who serve customers and one who does not, five customers, two groups."""
    bank = Bank(
        departments=[
            {"id": 1, "name": "示范银行", "parentid": 0, "order": 1},
            {"id": 2, "name": "城东支行", "parentid": 1, "order": 2},
        ],
        members=[
            {"userid": "rm001", "name": "李娜", "department": [2], "position": "客户经理", "status": 1},
            {"userid": "rm002", "name": "张伟", "department": [2], "position": "客户经理", "status": 1},
            {"userid": "co001", "name": "周敏", "department": [1], "position": "合规专员", "status": 1},
        ],
        serving=["rm001", "rm002"],
        tag_groups={
            "风险评级": [("t-c2", "C2 稳健型"), ("t-c4", "C4 成长型")],
            "资产层级": [("t-20", "20–50万")],
            "客户阶段": [("t-new", "新客")],
        },
    )
    bank.add_customer(
        "rm001",
        "wm1",
        "王芳",
        gender=2,
        remark="王芳 存单12月到期 13800001111",
        remark_mobiles=["13800001111"],
        tag_id=["t-c4", "t-20"],
    )
    bank.add_customer("rm001", "wm2", "王建国", gender=1, tag_id=["t-new"])
    bank.add_customer("rm001", "wm3", "欧阳静", gender=2)
    bank.add_customer("rm002", "wm1", "王芳", gender=2, tag_id=["t-c2"], createtime=ADDED + 1000)
    bank.add_customer("rm002", "wm4", "赵小芳", gender=2)
    bank.add_group("wr1", "城东理财交流1群", "rm001", ["wm1", "wm2"])
    bank.add_group("wr2", "城东存款2群", "rm001", ["wm3"])
    return bank
