#!/usr/bin/env python3
"""Answers cases, one JSON object a line, with one line each: what this reader makes of them. The test
`interop` of tests/it compares that with Rollcall's own answer."""

import json
import sys

import merkle
from cbor import Refused
from note import Note, counts
from paper import Bundle, Code, Proof, Slip, Trust
from statements import batch, consistent, unseal


def statement(case):
    typ, fields = unseal(bytes.fromhex(case["sealed"]), set(case["types"]), bytes.fromhex(case["key"]))
    if typ == "rollcall-record-v1":
        consistent(fields)
    return fields


def tree(case):
    proof = [bytes.fromhex(hash) for hash in case["proof"]]
    if case["of"] == "inclusion":
        leaf, root = bytes.fromhex(case["leaf"]), bytes.fromhex(case["root"])
        return merkle.includes(leaf, case["index"], case["size"], proof, root)
    old_root, new_root = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
    return merkle.continues(case["old"], old_root, case["new"], new_root, proof)


def note(case):
    trust = Trust(case["trust"])
    head = counts(Note(case["note"]), trust.log, trust.witnesses, trust.quorum)
    return {"origin": head.origin, "size": head.size, "root": head.root.hex()}


def proof(case):
    paper = (Code if case["proof"].startswith("ROLLCALL-PROOF:") else Proof)(case["proof"])
    record, hash, key = paper.check(Trust(case["trust"]))
    if "slip" not in case:
        return {"record": record, "hash": hash}
    slip = Slip(case["slip"])
    if slip.fields["terminal"] != record["terminal"]:
        return "not checked"
    return slip.judge(record, hash, key)


def bundle(case):
    wrong = Bundle(case["bundle"]).check(Trust(case["trust"]))
    return {question: not findings for question, findings in wrong.items()}


def answer(case):
    readers = {
        "statement": statement,
        "batch": lambda case: batch(bytes.fromhex(case["bytes"])),
        "inclusion": tree,
        "consistency": tree,
        "note": note,
        "proof": proof,
        "bundle": bundle,
    }
    try:
        return {"read": readers[case["of"]](case)}
    except Refused as why:
        return {"refused": str(why)}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=False)
