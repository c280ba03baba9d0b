"""The callback cryptography gives every known answer, and refuses every forgery."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CallbackMalformed, DecryptFailed, SettingsError, SignatureMismatch
from bot.webhook import parse_query
from bot.wecom.crypto import CallbackCrypto, decrypt_media, page_signature, signature

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "fixtures/wecom/vectors.json").read_text()
)
BY_ID = {vector["id"]: vector for vector in VECTORS["callback"]}
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


def _crypto(vector: dict[str, Any], receive_id: str | None = None) -> CallbackCrypto:
    return CallbackCrypto(
        vector["token"], vector["encoding_aes_key"], vector["receive_id"] if receive_id is None else receive_id
    )


def _verify(vector: dict[str, Any], **changes: str) -> None:
    told = {**vector, **changes}
    _crypto(vector).verify(vector["msg_signature"], told["timestamp"], told["nonce"], told["ciphertext"])


@pytest.mark.parametrize("vector", VECTORS["callback"], ids=lambda vector: vector["id"])
def test_every_known_answer_in_both_directions(vector: dict[str, Any]) -> None:
    if vector["msg_signature"] is not None:
        _verify(vector)
    crypto = _crypto(vector)
    assert crypto.decrypt(vector["ciphertext"]).decode() == vector["plaintext"]
    assert crypto.encrypt(vector["plaintext"].encode(), bytes.fromhex(vector["random_hex"])) == vector["ciphertext"]


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS["callback"] if "raw_query" in vector], ids=lambda vector: vector["id"]
)
def test_the_echo_string_survives_the_query_string(vector: dict[str, Any]) -> None:
    query = parse_query(vector["raw_query"].encode())
    assert query["echostr"] == vector["ciphertext"]
    assert query["msg_signature"] == vector["msg_signature"]


@pytest.mark.parametrize("vector", VECTORS["signature_only"], ids=lambda vector: vector["id"])
def test_known_signatures(vector: dict[str, Any]) -> None:
    made = signature(vector["token"], vector["timestamp"], vector["nonce"], vector["ciphertext"])
    assert made == vector["msg_signature"]


def test_another_nonce_does_not_fit_the_signature() -> None:
    with pytest.raises(SignatureMismatch):
        _verify(BY_ID["wechatpy-echostr"], nonce="437374424")


def test_a_cut_ciphertext_does_not_fit_the_signature() -> None:
    vector = BY_ID["powerwechat-message-utf8"]
    with pytest.raises(SignatureMismatch):
        _verify(vector, ciphertext=vector["ciphertext"][1:])


def test_a_message_for_another_receiver_is_refused_although_the_signature_is_right() -> None:
    vector = BY_ID["official-90968-message"]
    _verify(vector)
    with pytest.raises(DecryptFailed, match="another receiver"):
        _crypto(vector, receive_id="wx0000000000000000").decrypt(vector["ciphertext"])


def test_a_receive_id_that_only_begins_alike_is_refused() -> None:
    vector = BY_ID["official-90968-message"]
    with pytest.raises(DecryptFailed):
        _crypto(vector, receive_id=vector["receive_id"] + "x").decrypt(vector["ciphertext"])
    with pytest.raises(DecryptFailed):
        _crypto(vector, receive_id="").decrypt(vector["ciphertext"])


@pytest.mark.parametrize("ciphertext", ["", "####", "QUJD", "QUJDRA", "é"])
def test_what_is_not_a_ciphertext_is_malformed(ciphertext: str) -> None:
    with pytest.raises(CallbackMalformed):
        CallbackCrypto("token", KEY, "ww1").decrypt(ciphertext)


@pytest.mark.parametrize("key", ["", "short", KEY + "=", KEY[:-1] + "!", "键" * 43])
def test_an_impossible_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        CallbackCrypto("token", key, "ww1")
    assert not key or key not in str(caught.value)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_decrypt_undoes_encrypt(message: bytes, receive_id: str) -> None:
    crypto = CallbackCrypto("token", KEY, receive_id)
    assert crypto.decrypt(crypto.encrypt(message)) == message


@given(st.binary(min_size=16, max_size=320).filter(lambda raw: len(raw) % 16 == 0))
def test_random_blocks_are_refused_and_never_crash(raw: bytes) -> None:
    with pytest.raises(DecryptFailed):
        CallbackCrypto("token", KEY, "ww0000000000000001").decrypt(base64.b64encode(raw).decode())


@pytest.mark.parametrize("vector", VECTORS["jssdk"], ids=lambda vector: vector["id"])
def test_known_page_signatures(vector: dict[str, Any]) -> None:
    made = page_signature(vector["jsapi_ticket"], vector["noncestr"], vector["timestamp"], vector["url"])
    assert made == vector["signature"]


@pytest.mark.parametrize("vector", VECTORS["media"], ids=lambda vector: vector["id"])
@pytest.mark.parametrize("suffix", ["", "="])
def test_known_files_of_a_bot(vector: dict[str, Any], suffix: str) -> None:
    encrypted = base64.b64decode(vector["encrypted_base64"])
    opened = decrypt_media(vector["encoding_aes_key"] + suffix, encrypted)
    assert opened == base64.b64decode(vector["plaintext_base64"])


@pytest.mark.parametrize(("key", "encrypted"), [(KEY, b""), (KEY, b"x" * 17), (KEY, b"x" * 64), ("short", b"x" * 32)])
def test_a_file_that_does_not_open_is_refused(key: str, encrypted: bytes) -> None:
    with pytest.raises(DecryptFailed):
        decrypt_media(key, encrypted)
