"""The check of a callback URL (dossier 01, 1.2), with an answer that says in plain words what is wrong."""

import asyncio
import secrets
from dataclasses import dataclass

import httpx

from simulator import crypto
from simulator.config import CallbackTarget

PATIENCE_SECONDS = 1.0
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Probe:
    """How a check ended: a code from a closed list, and what it means in Chinese and English."""

    ok: bool
    code: str
    zh: str
    en: str
    status: int | None = None


def _failed(code: str, zh: str, en: str, status: int | None = None) -> Probe:
    return Probe(False, code, zh, en, status)


async def probe(client: httpx.AsyncClient, target: CallbackTarget, timestamp: int) -> Probe:
    """Ask the URL to prove that it knows token and key, and that it refuses whoever does not."""
    echo = secrets.token_hex(16)
    encrypted = _encrypt_with_plus(echo, target)
    try:
        answer = await _ask(client, target, encrypted, timestamp, target.token)
        refused = await _ask(client, target, encrypted, timestamp, target.token + "x") if answer.is_success else None
    except TimeoutError:
        return _failed(
            "too_slow",
            "1 秒内没有应答：验证请求必须在 1 秒内返回明文，请先应答、再做别的事",
            "no answer within 1 second: answer the check first, work later",
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _failed(
            "unreachable",
            f"连不上 {target.url}（{type(error).__name__}）：请确认机器人已启动，地址和端口写对了",
            f"cannot reach {target.url} ({type(error).__name__}): is the bot running, and are address and port right?",
        )
    verdict = _judge(answer, echo, encrypted)
    if verdict.ok and refused is not None and refused.is_success and echo in refused.text:
        return _failed(
            "signature_not_checked",
            "签名错误的请求也被接受了：任何人都能冒充企业微信，请先验证 msg_signature",
            "a request with a wrong signature was accepted: anybody could pose as WeCom; verify msg_signature first",
            answer.status_code,
        )
    return verdict


def _encrypt_with_plus(echo: str, target: CallbackTarget) -> str:
    """Encrypt until there is a `+` in it: decoding the query twice turns that into a space, the classic mistake."""
    while True:
        encrypted = crypto.encrypt(echo, target.aes_key, target.receive_id)
        if "+" in encrypted:
            return encrypted


async def _ask(
    client: httpx.AsyncClient, target: CallbackTarget, encrypted: str, timestamp: int, token: str
) -> httpx.Response:
    nonce = str(secrets.randbelow(10**10))
    signature = crypto.signature(token, str(timestamp), nonce, encrypted)
    params = {"msg_signature": signature, "timestamp": str(timestamp), "nonce": nonce, "echostr": encrypted}
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await client.get(target.url, params=params)


def _judge(answer: httpx.Response, echo: str, encrypted: str) -> Probe:
    status, text = answer.status_code, answer.content.decode("utf-8", "replace")
    if status in {401, 403}:
        return _failed(
            "refused",
            f"被拒绝（HTTP {status}）：两边的 Token、EncodingAESKey 或接收方 ID 不一致，"
            "或者机器人把 echostr 里的 + 解码成了空格",
            f"refused (HTTP {status}): token, EncodingAESKey or receive id differ between the two sides, "
            "or the bot turned a + of echostr into a space",
            status,
        )
    if status == 404:
        return _failed(
            "no_such_path", "地址的路径不存在（HTTP 404）", "the URL's path does not exist (HTTP 404)", status
        )
    if status == 405:
        return _failed(
            "no_get",
            "地址不接受 GET（HTTP 405）：同一地址要同时支持 GET 和 POST",
            "the URL does not take GET (HTTP 405): it must serve GET and POST",
            status,
        )
    if status != 200:
        return _failed("status", f"应答 HTTP {status}，应为 200", f"answered HTTP {status} instead of 200", status)
    if text == echo:
        return Probe(True, "ok", "验证通过", "the check passed", status)
    if text == encrypted:
        return _failed(
            "not_decrypted",
            "原样返回了密文：应返回解密后的明文",
            "the ciphertext came back: return the plaintext",
            status,
        )
    if text.strip(f"\"'{BOM} \r\n\t") == echo:
        return _failed(
            "decorated",
            "明文外多了引号、换行或 BOM：只能返回明文本身",
            "quotes, a newline or a BOM around the plaintext: return the plaintext only",
            status,
        )
    return _failed("wrong_text", "返回的不是解密后的明文", "the answer is not the decrypted text", status)
