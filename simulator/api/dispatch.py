"""Every request under /cgi-bin goes through here: find the API, judge token and body, call, answer."""

import json
import re
from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import UploadFile

from simulator.api import aibot, auth, broadcasts, contacts, directory, groups, kf, media, messages, msgaudit
from simulator.api.endpoint import Answer, BinaryAnswer, Endpoint
from simulator.errors import ApiError, catalogued_apis
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
}
# an odd number of backslashes before the u, and a code point beyond ASCII
ESCAPED_TEXT = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?!00[0-7])[0-9a-fA-F]{4}")
BAD_JSON = 47001
WRONG_METHOD = {"GET": 43002, "POST": 43001}  # the call must be a POST, a GET
MAX_BODY_BYTES = 25 * 1024 * 1024


async def answer_api(platform: Platform, request: Request) -> Response:
    """Answer one API request; every refusal but an unknown path is HTTP 200 with an errcode."""
    name = f"{request.method} {request.url.path}"
    try:
        endpoint = _find_endpoint(request.method, request.url.path)
        app = _check_token(platform, endpoint, request)
        call = await _read_call(request, app)
        answer = endpoint.function(platform, call)
    except ApiError as error:
        status = 404 if error.errcode == 404 else 200
        return JSONResponse({**error.answer(), "errmsg": f"{error.errmsg} [{name}]"}, status)
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
        return ApiCall(params, {}, app, base_url=base_url)
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
        disposition = {"Content-Disposition": f'attachment; filename="{_ascii(answer.filename)}"'}
        return Response(answer.content, media_type=answer.content_type, headers=disposition)
    return JSONResponse(answer)


def _ascii(filename: str) -> str:
    return filename.encode("ascii", "replace").decode().replace('"', "_")
