#!/usr/bin/env python3
"""Reads docs/spec/vectors: what the bytes say must be what the vectors say, and what they call invalid
must be refused.

    python3 tests/interop/check_vectors.py
"""

import hashlib
import json
import pathlib
import sys

import ed25519
from cbor import Refused
from statements import batch, commitment, consistent, envelope, picture, unseal

VECTORS = pathlib.Path(__file__).parents[2] / "docs/spec/vectors"


def vectors(file):
    return json.loads((VECTORS / file).read_text(encoding="utf-8"))["vectors"]


def same(found, wanted, where):
    if found != wanted:
        sys.exit(f"{where}: read\n  {found}\nbut the vector says\n  {wanted}")


def main():
    count, keys = 0, {}
    for v in vectors("keys.json"):
        keys[v["name"]] = public = ed25519.public_key(bytes.fromhex(v["secret"]))
        same(public.hex(), v["public"], v["name"])
        same(hashlib.sha256(public).hexdigest()[:16], v["kid"], v["name"])
        count += 1
    for v in vectors("records.json"):
        sealed = bytes.fromhex(v["sealed"])
        _, fields = unseal(sealed, {"rollcall-record-v1"}, keys[v["key"]])
        same(fields, v["fields"], v["name"])
        same(envelope(sealed)[3].hex(), v["payload"], v["name"])
        same(hashlib.sha256(sealed).hexdigest(), v["hash"], v["name"])
        for of, opening in v["openings"].items():
            committed = fields["other"]["person"] if of == "other" else fields[of]
            same(commitment(opening), committed, f"{v['name']}, opening of {of}")
        count += 1
    for v in vectors("answers.json") + vectors("ledger.json") + vectors("platforms.json"):
        _, fields = unseal(bytes.fromhex(v["sealed"]), {v["typ"]}, keys[v["key"]])
        same(fields, v["fields"], v["typ"])
        count += 1
    for v in vectors("batches.json"):
        same(batch(bytes.fromhex(v["batch"])), v["parcels"], v["name"])
        count += 1
    for v in vectors("pictures.json"):
        sealed = bytes.fromhex(v["picture"])
        same(picture(sealed), v["cover"], v["name"])
        same(hashlib.sha256(sealed).hexdigest(), v["digest"], v["name"])
        count += 1

    def record(sealed, key):
        consistent(unseal(sealed, {"rollcall-record-v1"}, key)[1])

    readers = {
        "record": record,
        "receipt": lambda b, key: unseal(b, {"rollcall-receipt-v1", "rollcall-refusal-v1"}, key),
        "batch": lambda b, key: batch(b),
    }
    for v in vectors("invalid.json"):
        try:
            readers[v["of"]](bytes.fromhex(v["bytes"]), keys.get(v.get("key")))
        except Refused as why:
            same(str(why), v["error"], v["why"])
        else:
            sys.exit(f"{v['why']}: was read, but must be refused")
        count += 1
    print(f"{count} vectors hold")


if __name__ == "__main__":
    main()
