"""The simulator's crypto against the known-answer vectors of the dossier."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from simulator import crypto, xml
from simulator.crypto import CryptoError
from simulator.xml import XmlError

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures/wecom/vectors.json").read_text(encoding="utf-8"))
CALLBACKS = {vector["id"]: vector for vector in VECTORS["callback"]}


@pytest.mark.parametrize("vector", CALLBACKS.values(), ids=lambda vector: vector["id"])
def test_vector_is_signed_encrypted_and_decrypted_as_documented(vector: dict[str, Any]) -> None:
    signature = crypto.signature(vector["token"], vector["timestamp"], vector["nonce"], vector["ciphertext"])
    # the two pure encryption answers carry no signature
    assert vector["msg_signature"] in {None, signature}
    opened = crypto.decrypt(vector["ciphertext"], vector["encoding_aes_key"])
    assert opened == (vector["plaintext"], vector["receive_id"])
    sealed = crypto.encrypt(
        vector["plaintext"],
        vector["encoding_aes_key"],
        vector["receive_id"],
        bytes.fromhex(vector["random_hex"]),
    )
    assert sealed == vector["ciphertext"]


@pytest.mark.parametrize("vector", VECTORS["signature_only"], ids=lambda vector: vector["id"])
def test_signature_only_vector_matches(vector: dict[str, Any]) -> None:
    parts = (vector["token"], vector["timestamp"], vector["nonce"], vector["ciphertext"])
    assert crypto.signature(*parts) == vector["msg_signature"]


@pytest.mark.parametrize("vector", VECTORS["media"], ids=lambda vector: vector["id"])
def test_media_vector_round_trips(vector: dict[str, Any]) -> None:
    sealed, plain = (base64.b64decode(vector[name]) for name in ("encrypted_base64", "plaintext_base64"))
    assert crypto.decrypt_media(sealed, vector["encoding_aes_key"]) == plain
    assert crypto.encrypt_media(plain, vector["encoding_aes_key"]) == sealed


def test_negative_vectors_do_not_pass() -> None:
    changes = {vector["id"]: vector for vector in VECTORS["negative"]}
    nonce = changes["neg-bad-nonce"]
    base = CALLBACKS[nonce["base"]]
    signed = crypto.signature(base["token"], base["timestamp"], nonce["change"]["nonce"], base["ciphertext"])
    assert signed != base["msg_signature"]

    cut = CALLBACKS[changes["neg-cut-first-ciphertext-char"]["base"]]
    signed = crypto.signature(cut["token"], cut["timestamp"], cut["nonce"], cut["ciphertext"][1:])
    assert signed != cut["msg_signature"]

    other = changes["neg-other-receive-id"]
    base = CALLBACKS[other["base"]]
    _, receive_id = crypto.decrypt(base["ciphertext"], base["encoding_aes_key"])
    assert receive_id != other["change"]["configured_receive_id"]


@pytest.mark.parametrize("ciphertext", ["", "AAAA", "not base64!", base64.b64encode(bytes(64)).decode()])
def test_broken_ciphertext_is_refused(ciphertext: str) -> None:
    with pytest.raises(CryptoError):
        crypto.decrypt(ciphertext, CALLBACKS["self-pad-31"]["encoding_aes_key"])


def test_xml_survives_the_end_of_a_cdata_section_and_lists() -> None:
    fields = {"Content": "a]]>b<c>&", "Item": ["x", "y"], "Box": {"Number": 7}}
    assert xml.parse(xml.render(fields)) == {
        "Content": "a]]>b<c>&",
        "Item": ["x", "y"],
        "Box": {"Number": "7"},
    }


@pytest.mark.parametrize("text", ["<xml>", "<!DOCTYPE a [<!ENTITY b 'c'>]><xml>&b;</xml>", "no xml"])
def test_bad_reply_xml_is_refused(text: str) -> None:
    with pytest.raises(XmlError):
        xml.parse(text)
