"""Every request under /cgi-bin goes through here: find the API, judge token and body, call, answer."""

import asyncio
import json
import re
from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import UploadFile

from simulator.api import (
    acquisition,
    aibot,
    albums,
    appchat,
    auth,
    broadcasts,
    contact_ways,
    contacts,
    directory,
    groups,
    intercept,
    join_ways,
    kf,
    media,
    messages,
    moments,
    msgaudit,
    oauth,
    statistics,
    tags,
    tickets,
    transfers,
    webhook,
    welcome_templates,
)
from simulator.api.catalogue import check_request
from simulator.api.endpoint import Answer, BinaryAnswer, Endpoint
from simulator.errors import ApiError, catalogued_apis
from simulator.limits import GETTOKEN
from simulator.platform import ApiCall, Platform, Upload
from simulator.state import Json

ENDPOINTS: Mapping[str, Endpoint] = {
    **auth.ENDPOINTS,
    **directory.ENDPOINTS,
    **messages.ENDPOINTS,
    **contacts.ENDPOINTS,
    **groups.ENDPOINTS,
    **broadcasts.ENDPOINTS,
    **media.ENDPOINTS,
    **kf.ENDPOINTS,
    **msgaudit.ENDPOINTS,
    **aibot.ENDPOINTS,
    **appchat.ENDPOINTS,
    **webhook.ENDPOINTS,
    **tags.ENDPOINTS,
    **contact_ways.ENDPOINTS,
    **join_ways.ENDPOINTS,
    **welcome_templates.ENDPOINTS,
    **moments.ENDPOINTS,
    **transfers.ENDPOINTS,
    **statistics.ENDPOINTS,
    **intercept.ENDPOINTS,
    **albums.ENDPOINTS,
    **acquisition.ENDPOINTS,
    **oauth.ENDPOINTS,
    **tickets.ENDPOINTS,
}
# an odd number of backslashes before the u, and a code point beyond ASCII
ESCAPED_TEXT = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?!00[0-7])[0-9a-fA-F]{4}")
BAD_JSON = 47001
WRONG_SECRET = {40001, 40013, 40091}
WRONG_METHOD = {"GET": 43002, "POST": 43001}  # the call must be a POST, a GET
MAX_BODY_BYTES = 25 * 1024 * 1024


async def answer_api(platform: Platform, request: Request) -> Response:
    """Answer one API request; every refusal but an unknown path is HTTP 200 with an errcode."""
    name = f"{request.method} {request.url.path}"
    try:
        endpoint = _find_endpoint(request.method, request.url.path)
        app = _check_caller(platform, endpoint, request, name)
        call = await _read_call(request, app)
        _check_call(platform, request, name, call)
        answer = endpoint.function(platform, call)
    except ApiError as error:
        if name == GETTOKEN and error.errcode in WRONG_SECRET:
            platform.limits.note_wrong_secret(address_of(request))
        status = 404 if error.errcode == 404 else 200
        return JSONResponse({**error.answer(), "errmsg": f"{error.errmsg} [{name}]"}, status)
    if call.params.get("debug") == "1" and not isinstance(answer, BinaryAnswer):
        answer = {**answer, "debug": {"api": name, "query": _without_secrets(call.params), "body": call.body}}
    return _render(answer)


def _find_endpoint(method: str, path: str) -> Endpoint:
    endpoint = ENDPOINTS.get(f"{method} {path}")
    if endpoint is not None:
        return endpoint
    other = "POST" if method == "GET" else "GET"
    if f"{other} {path}" in ENDPOINTS:
        raise ApiError(WRONG_METHOD[method], f"require {other} method")
    if {f"GET {path}", f"POST {path}"} & catalogued_apis():
        raise ApiError(48002, "a documented API that this simulator does not offer")
    raise ApiError(404, "no such API")


def address_of(request: Request) -> str:
    """Return the address that a call came from."""
    return request.client.host if request.client is not None else ""


def _check_caller(platform: Platform, endpoint: Endpoint, request: Request, name: str) -> str:
    """Judge token, address, app and frequency; return the app of the token."""
    limits, address = platform.limits, address_of(request)
    if name == GETTOKEN:
        limits.check_banned(address)
    app = _check_token(platform, endpoint, request)
    if app or (name == GETTOKEN and limits.rules.trusted_ip_at_gettoken):
        limits.check_address(app, address)
    limits.check_app(app)
    limits.check_frequency(name)
    limits.check_concurrency(name)
    return app


def _check_call(platform: Platform, request: Request, name: str, call: ApiCall) -> None:
    """Judge what every body has in common, and whether the object is being changed already."""
    if call.params.get("debug") == "1":
        platform.limits.check_debug()
    if call.upload is None:
        check_request(name, call.params, call.body)
    now = asyncio.get_running_loop().time()
    platform.limits.check_one_writer(name, call.body, request.scope.get("arrived_at", now), now)


def _without_secrets(params: Mapping[str, str]) -> Json:
    return {key: value for key, value in params.items() if key not in {"access_token", "corpsecret"}}


def _check_token(platform: Platform, endpoint: Endpoint, request: Request) -> str:
    if not endpoint.apps:
        return ""
    app = platform.tokens.check(request.query_params.get("access_token"))
    if app not in endpoint.apps:
        raise ApiError(48002, f"api forbidden for the token of the secret '{app}'")
    return app


async def _read_call(request: Request, app: str) -> ApiCall:
    params = dict(request.query_params)
    base_url = str(request.base_url)
    if request.method == "GET":
        return ApiCall(params, {}, app, base_url=base_url, headers=dict(request.headers))
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return ApiCall(params, {}, app, upload=await _read_upload(request), base_url=base_url)
    return ApiCall(params, _read_json(await request.body()), app, base_url=base_url)


async def _read_upload(request: Request) -> Upload | None:
    async with request.form() as form:
        part = form.get("media")
        if not isinstance(part, UploadFile):
            return None
        content = await part.read()
        kind = part.content_type or "application/octet-stream"
        return Upload(part.filename or "file", kind, content)


def _read_json(raw: bytes) -> Json:
    if len(raw) > MAX_BODY_BYTES:
        raise ApiError(45002)
    if ESCAPED_TEXT.search(raw):
        raise ApiError(40033)
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError
        raise ApiError(BAD_JSON, "data format error: the body is not UTF-8 JSON") from error
    if not isinstance(body, dict):
        raise ApiError(BAD_JSON, "data format error: the body is not an object")
    return body


def _render(answer: Answer) -> Response:
    if isinstance(answer, BinaryAnswer):
        headers = {"Content-Disposition": f'attachment; filename="{_ascii(answer.filename)}"', **answer.headers}
        return Response(answer.content, answer.status, headers, answer.content_type)
    return JSONResponse(answer)


def _ascii(filename: str) -> str:
    return filename.encode("ascii", "replace").decode().replace('"', "_")
