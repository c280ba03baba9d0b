"""One invented body for every kind of archive record (06-session-archive.md, 6.5), and where in a record it stands."""

from simulator.state import Json

# Kinds whose body is not under the key of their name.
BODY_KEYS = {
    "docmsg": "doc",
    "markdown": "info",
    "news": "info",
    "voiptext": "info",
    "qydiskfile": "info",
    "meeting_notification": "info",
    "external_redpacket": "redpacket",
}
# Kinds that carry an id at the top of the record, beside the body.
TOP_LEVEL_IDS = {"meeting_voice_call": "voiceid", "voip_doc_share": "voipid"}
# Which field of a body tells the size of the file that its `sdkfileid` names.
FILE_SIZE_KEYS = {
    "image": "filesize",
    "voice": "voice_size",
    "video": "filesize",
    "emotion": "imagesize",
    "file": "filesize",
    "voip_doc_share": "filesize",
}

EXAMPLES: dict[str, Json] = {
    "text": {"content": "下午好，请问三年期大额存单还有额度吗？😊"},
    "image": {},
    "revoke": {"pre_msgid": "0000000000000000001_1767225600_external"},
    "agree": {"userid": "wmDEMO0001", "agree_time": 1_767_225_600_000},
    "disagree": {"userid": "wmDEMO0001", "disagree_time": 1_767_225_600_000},
    "voice": {"play_length": 3},
    "video": {"play_length": 12},
    "card": {"corpname": "示范银行", "userid": "rm001"},
    "location": {
        "longitude": 116.397128,
        "latitude": 39.916527,
        "address": "城东路1号",
        "title": "城东支行",
        "zoom": 15,
    },
    "emotion": {"type": 1, "width": 120, "height": 120},
    "file": {"filename": "产品说明书.pdf", "fileext": "pdf"},
    "link": {
        "title": "理财产品公告",
        "description": "本周在售",
        "link_url": "https://bank.example/notice",
        "image_url": "https://bank.example/notice.png",
    },
    "weapp": {
        "title": "网点预约",
        "description": "在线取号",
        "username": "demo_weapp@app",
        "displayname": "示范银行",
    },
    "chatrecord": {
        "title": "城东理财交流1群的聊天记录",
        "item": [
            {
                "type": "ChatRecordText",
                "msgtime": 1_767_225_600,
                "content": '{"content": "利率什么时候调整？"}',
                "from_chatroom": True,
            },
            {
                "type": "ChatRecordMixed",
                "msgtime": 1_767_225_660,
                "content": '{"item": [{"type": "text", "content": "{\\"content\\": \\"见公告\\"}"}]}',
                "from_chatroom": True,
            },
        ],
    },
    "todo": {"title": "回访客户", "content": "周五前回访三位到期客户"},
    "vote": {"votetitle": "沙龙时间", "voteitem": ["周六上午", "周日上午"], "votetype": 101, "voteid": "vote0001"},
    "collect": {
        "room_name": "城东理财交流1群",
        "creator": "rm001",
        "create_time": "2026-01-01 09:00:00",
        "title": "沙龙报名",
        "details": [{"id": 1, "ques": "您的姓名", "type": "Text"}, {"id": 2, "ques": "到场人数", "type": "Number"}],
    },
    "redpacket": {"type": 1, "wish": "恭喜发财，大吉大利", "totalcnt": 5, "totalamount": 1000},
    "external_redpacket": {"type": 2, "wish": "新年快乐", "totalcnt": 3, "totalamount": 600},
    "meeting": {
        "topic": "产品培训",
        "starttime": 1_767_229_200,
        "endtime": 1_767_232_800,
        "address": "三楼会议室",
        "remarks": "请提前到场",
        "meetingtype": 101,
        "meetingid": 10001,
        "status": 1,
    },
    "docmsg": {"title": "话术手册", "doc_creator": "rm001", "link_url": "https://doc.example/1"},
    "markdown": {"content": "**到期提醒**\n> 三位客户本周到期"},
    "news": {
        "item": [
            {
                "title": "一周市场",
                "description": "要点",
                "url": "https://bank.example/week",
                "picurl": "https://bank.example/week.png",
            }
        ]
    },
    "calendar": {
        "title": "客户见面",
        "creatorname": "李娜",
        "attendeename": ["王芳"],
        "starttime": 1_767_229_200,
        "endtime": 1_767_232_800,
        "place": "城东支行",
        "remarks": "带上资料",
    },
    "mixed": {
        "item": [
            {"type": "text", "content": '{"content": "见图"}'},
            {"type": "link", "content": '{"title": "公告", "link_url": "https://bank.example/n"}'},
        ]
    },
    "meeting_voice_call": {
        "endtime": 1_767_232_800,
        "demofiledata": [
            {"filename": "演示.pdf", "demooperator": "rm001", "starttime": 1_767_229_200, "endtime": 1_767_229_800}
        ],
        "sharescreendata": [{"share": "rm001", "starttime": 1_767_229_200, "endtime": 1_767_229_800}],
    },
    "voip_doc_share": {"filename": "产品对比.pptx"},
    "sphfeed": {"feed_type": 4, "sph_name": "示范银行", "feed_desc": "三分钟看懂存款"},
    "voiptext": {"callduration": 61, "invitetype": 1},
    "qydiskfile": {"filename": "客户名单模板.xlsx"},
    "meeting_notification": {"meeting_id": "10001", "notification_type": 1},
    "note": {"title": "笔记"},
    "solitaire": {"title": "接龙"},
}
# Kinds that carry a file: `sdkfileid`, `md5sum` and the size are filled in from the file.
WITH_FILE = frozenset({"image", "voice", "video", "emotion", "file", "meeting_voice_call", "voip_doc_share"})
