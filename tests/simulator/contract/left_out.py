"""APIs of the product's families that the simulator does not offer (it answers 48002), each with its reason."""

FAMILIES = tuple(
    f"/cgi-bin/{family}"
    for family in (
        "agent/",
        "aibot/",
        "appchat/",
        "auth/",
        "department/",
        "externalcontact/",
        "get_api_domain_ip",
        "get_jsapi_ticket",
        "getcallbackip",
        "gettoken",
        "idconvert/",
        "kf/",
        "media/",
        "message/",
        "msgaudit/",
        "tag/",
        "ticket/",
        "user/",
        "webhook/",
    )
)
_SYNC = "writes of the directory belong to the contact-sync assistant; the app only reads"
_PROVIDER = "for service providers and apps developed on behalf only (05, 5.12)"
_STRATEGY = "strategy groups (规则组) are read-only for us (05, 5.2)"
_PRIVATE = "new apps get no mobile or email of members (02, 2.3), so nobody can be found by one"
_SETTINGS = "administrators change the app in the console"
_UNION = "the simulated corp has no WeChat developer id bound, so customers have no unionid"

LEFT_OUT = {
    "GET /cgi-bin/department/delete": _SYNC,
    "POST /cgi-bin/department/create": _SYNC,
    "POST /cgi-bin/department/update": _SYNC,
    "GET /cgi-bin/user/delete": _SYNC,
    "POST /cgi-bin/user/batchdelete": _SYNC,
    "POST /cgi-bin/user/create": _SYNC,
    "POST /cgi-bin/user/update": _SYNC,
    "GET /cgi-bin/user/authsucc": "second verification (二次验证) is not used",
    "GET /cgi-bin/user/check_member_auth": _PROVIDER,
    "GET /cgi-bin/user/list_member_auth": _PROVIDER,
    "POST /cgi-bin/user/get_active_stat": _SYNC,
    "POST /cgi-bin/user/get_userid_by_email": _PRIVATE,
    "POST /cgi-bin/user/getuserid": _PRIVATE,
    "POST /cgi-bin/agent/get_admin_list": _PROVIDER,
    "POST /cgi-bin/agent/get_permissions": _PROVIDER,
    "POST /cgi-bin/agent/set": _SETTINGS,
    "POST /cgi-bin/agent/set_scope": _SETTINGS,
    "POST /cgi-bin/externalcontact/add_strategy_tag": _STRATEGY,
    "POST /cgi-bin/externalcontact/edit_strategy_tag": _STRATEGY,
    "POST /cgi-bin/externalcontact/del_strategy_tag": _STRATEGY,
    "POST /cgi-bin/externalcontact/batch_to_external_userid": "for education corps: parents by mobile number",
    "POST /cgi-bin/externalcontact/to_service_external_userid": _PROVIDER,
    "POST /cgi-bin/externalcontact/unionid_to_external_userid": _UNION,
    "GET /cgi-bin/externalcontact/customer_acquisition_app/get_permit": _PROVIDER,
    "POST /cgi-bin/idconvert/apply_to_upgrade_chatid": _PROVIDER,
    "POST /cgi-bin/idconvert/batch/external_userid_to_pending_id": _PROVIDER,
    "POST /cgi-bin/idconvert/chatid": _PROVIDER,
    "POST /cgi-bin/idconvert/external_tagid": _PROVIDER,
    "POST /cgi-bin/idconvert/open_kfid": _PROVIDER,
    "POST /cgi-bin/idconvert/unionid_to_external_userid": _PROVIDER,
    "POST /cgi-bin/idconvert/upgrade_chatid_for_new_corp": _PROVIDER,
    "POST /cgi-bin/message/update_taskcard": "old task cards: replaced by template cards (02, 2.2)",
}
