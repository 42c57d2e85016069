#!/usr/bin/env python3
"""A second `rollcall verify`, written from docs/spec alone: proofs, slips and bundles, checked against
trusted keys.

    python3 tests/interop/verify.py --trust KEYFILE FILE…

Exit code: 0 all holds, 1 something does not, 2 a file cannot be read."""

import argparse
import pathlib
import sys

from cbor import Refused
from paper import Bundle, Code, Proof, Slip, Trust


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--trust", required=True, type=pathlib.Path, metavar="KEYFILE")
    arguments.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
    arguments = arguments.parse_args()
    holds, proven, slips = True, [], []
    try:
        trust = Trust(arguments.trust.read_text(encoding="utf-8"))
        texts = [(file, file.read_text(encoding="utf-8")) for file in arguments.files]
        for file, text in texts:
            if text.startswith("ROLLCALL-SLIP:"):
                slips.append((file, Slip(text)))
            elif text.startswith("ROLLCALL-PROOF:") or "rollcall-proof-v1" in text[:100]:
                paper = (Code if text.startswith("ROLLCALL-PROOF:") else Proof)(text)
                try:
                    proven.append(paper.check(trust))
                    print(f"{file}: holds, record {proven[-1][0]['seq']} of {proven[-1][0]['terminal']}")
                except Refused as why:
                    print(f"{file}: does not hold: {why}")
                    holds = False
            else:
                wrong = Bundle(text).check(trust)
                for question, findings in wrong.items():
                    print(f"{file}: {question}: {findings or 'hold'}")
                    holds &= not findings
    except (OSError, UnicodeDecodeError, Refused) as why:
        print(f"could not read: {why}", file=sys.stderr)
        return 2
    for file, slip in slips:
        said = slip.fields
        beside = [p for p in proven if p[0]["terminal"] == said["terminal"]]
        beside.sort(key=lambda p: p[0]["seq"] != said["seq"])
        word = slip.judge(*beside[0]) if beside else "not checked"
        print(f"{file}: {word}")
        holds &= word in ("confirmed", "not yet confirmed")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
