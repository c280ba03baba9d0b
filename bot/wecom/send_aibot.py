"""How the AI bot answers (08-aibot.md, 8.3)."""

import httpx

from bot.errors import PlatformUnavailable, RecipientUnavailable
from bot.wecom.http import read_json
from bot.wecom.parcel import Parcel, Receipt


async def answer_by_url(http: httpx.AsyncClient, response_url: str, parcel: Parcel) -> Receipt:
    """Answer through the message's own address, which works once and lives an hour.

    Raises:
        PlatformError: refused or not answered.
    """
    api = "POST aibot response_url"
    body = {"msgtype": "markdown", "markdown": {"content": parcel.content.plain_text()}}
    try:
        response = await http.post(response_url, json=body)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise PlatformUnavailable(api, errmsg=type(error).__name__) from None
    except httpx.HTTPError as error:
        raise PlatformUnavailable(api, errmsg=type(error).__name__, maybe_done=True) from None
    answer = read_json(api, response)
    errcode = int(answer.get("errcode") or 0)
    # The address works once: refused after an attempt of unknown outcome means that one had arrived.
    if errcode and not parcel.in_doubt:
        raise RecipientUnavailable(api, errcode, str(answer.get("errmsg", "")))
    return Receipt(msgid=None, result=answer)
