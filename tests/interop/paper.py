"""What people hold in their hands: trusted keys, slips and proofs (proof-v1.md), bundles (bundle-v2.md)."""

import base64
import binascii
import hashlib
import json
import re

import ed25519
import merkle
from cbor import Refused, whole
from note import DASH, WITNESS, Key, Note, binary, counts
from statements import SEALED_MAX, commitment, envelope, key_id, name, opening_fields, peek, unseal

EVIDENCE_MAX, KEYS_MAX, PROOF_BYTES_MAX = 4096, 128, 1024 * 1024
GENESIS = bytes(32).hex()


# ---- Trusted keys --------------------------------------------------------------------------------


class Trust:
    def __init__(self, text):
        self.log, self.receipt, self.witnesses, self.quorum = [], [], [], None
        for line in text.split("\n"):
            words = line.split("#", 1)[0].split()
            if not words:
                continue
            if len(words) != 2:
                raise Refused("a line of the trusted keys is none")
            role, value = words
            if role == "witness":
                key = Key.read(value)
                if key.kind != WITNESS:
                    raise Refused("a log's key cannot cosign")
                self.witnesses.append(key)
            elif role == "quorum":
                if not re.fullmatch(r"[0-9]{1,9}", value):
                    raise Refused("no quorum")
                self.quorum = int(value)
            elif role in ("log", "receipt") and value.startswith("ed25519:"):
                key = binary(value.removeprefix("ed25519:"))
                if len(key) != 32 or not ed25519.usable(key):
                    raise Refused("no key")
                (self.log if role == "log" else self.receipt).append(key)
            else:
                raise Refused("a line of the trusted keys is none")
        if max(len(keys) for keys in (self.log, self.receipt, self.witnesses)) > KEYS_MAX:
            raise Refused("too many keys")
        if self.quorum is None:
            self.quorum = len(self.witnesses)
        if not self.log or self.quorum > len(self.witnesses):
            raise Refused("no log key, or a quorum of more witnesses than there are")

    def unseal(self, sealed, typ):
        """A statement of the centre, with whichever trusted key it names."""
        kid = envelope(sealed)[1]
        for key in self.log:
            if key_id(key) == kid:
                return unseal(sealed, {typ}, key)[1]
        raise Refused("key")


# ---- JSON ----------------------------------------------------------------------------------------


def once(pairs):
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refused("a field stands twice")
    return fields


def parse(text):
    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as why:
        raise Refused("no JSON") from why


def shape(value, must, may=()):
    """An object with these fields and no others."""
    if type(value) is not dict or not set(must) <= value.keys() <= {*must, *may}:
        raise Refused("a field is missing, or there is one too many")
    return value


def natural(value):
    if type(value) is not int or not 0 <= value < 2**64:
        raise Refused("no number")
    return value


def data(value):
    if type(value) is not str:
        raise Refused("no text")
    return binary(value)


def hashes(value):
    if type(value) is not list:
        raise Refused("no list")
    return [data(hash) for hash in value]


def opened(value):
    """The commitment that a name opens."""
    value = shape(value, ("salt", "person"))
    salt, person = data(value["salt"]), value["person"]
    if type(person) is not str or not re.fullmatch(r"[0-9a-f]{32}", person):
        raise Refused("no person")
    return salt, person


def opens(opening, committed):
    if opening is None:
        return
    salt, person = opening
    if len(salt) != 32 or commitment({"salt": salt.hex(), "person": person}) != committed:
        raise Refused("a name beside it is not the one that it commits to")


# ---- Proofs and slips ----------------------------------------------------------------------------


class Proof:
    def __init__(self, text):
        if len(text.encode()) > PROOF_BYTES_MAX:
            raise Refused("too long")
        paper = shape(parse(text), ("format", "record", "registration", "checkpoint"), ("person",))
        if paper["format"] != "rollcall-proof-v1" or type(paper["checkpoint"]) is not str:
            raise Refused("no proof")
        self.record, self.registration = self.leaf(paper["record"]), self.leaf(paper["registration"])
        self.person = opened(paper["person"]) if paper.get("person") is not None else None
        self.checkpoint = paper["checkpoint"]

    @staticmethod
    def leaf(value):
        value = shape(value, ("index", "sealed", "proof"))
        return natural(value["index"]), data(value["sealed"]), hashes(value["proof"])

    def check(self, trust):
        """The record's fields, its hash and its terminal's key; all or nothing."""
        head = counts(Note(self.checkpoint), trust.log, trust.witnesses, trust.quorum)
        for index, sealed, proof in (self.record, self.registration):
            if not merkle.includes(merkle.leaf(sealed), index, head.size, proof, head.root):
                raise Refused("not in the log")
        if self.registration[0] >= self.record[0]:
            raise Refused("registered after the record")
        return judged(self.record[1], self.registration[1], self.person, trust)


def judged(sealed, registration, person, trust):
    """A record under the registration of its terminal: its fields, its hash and the terminal's key."""
    fact = trust.unseal(registration, "rollcall-fact-v1")["fact"]
    claims = peek(sealed, "rollcall-record-v1")
    if fact["fact"] not in ("terminal", "terminal_key") or fact["id"] != claims["terminal"]:
        raise Refused("another terminal's registration")
    key = bytes.fromhex(fact["key"])
    _, record = unseal(sealed, {"rollcall-record-v1"}, key)
    opens(person, record.get("person"))
    return record, hashlib.sha256(sealed).hexdigest(), key


def letters(text, start, most):
    """The bytes of a text for QR codes: base32 without padding behind its start."""
    text = text.strip()
    if len(text) > most or not text.startswith(start):
        raise Refused("another text")
    text = text.removeprefix(start)
    try:
        content = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError) as why:
        raise Refused("no base32") from why
    if base64.b32encode(content).decode().rstrip("=") != text:
        raise Refused("another form of base32")
    return content


class Code:
    """A proof in the form for QR codes; the root is what the inclusion proof gives."""

    def __init__(self, text):
        fields = whole(letters(text, "ROLLCALL-PROOF:", 2520))
        kinds = (int, bytes, bytes, (dict, type(None)), bytes, str, int, list, list)
        if type(fields) is not list or len(fields) != len(kinds) or not all(map(isinstance, fields, kinds)):
            raise Refused("no proof")
        self.index, self.sealed, hashes, person, self.registration, self.origin = fields[:6]
        self.size, self.extensions, signatures = fields[6:]
        self.hashes = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
        self.person = None
        if person is not None:
            opening = opening_fields(person)
            self.person = bytes.fromhex(opening["salt"]), opening["person"]
        if not all(type(line) is str for line in self.extensions):
            raise Refused("no proof")
        if max(len(self.sealed), len(self.registration)) > SEALED_MAX or not 0 <= self.index < 2**64:
            raise Refused("no proof")
        self.signatures = []
        for signature in signatures:
            if type(signature) is not list or len(signature) != 2 or type(signature[1]) is not bytes:
                raise Refused("no signature")
            if not isinstance(signature[0], (str, type(None))):
                raise Refused("no name")
            self.signatures.append(signature)

    def check(self, trust):
        """As `Proof.check`, but for the registration's place."""
        rest = list(self.hashes)
        short = any(len(hash) != 32 for hash in rest) or len(rest) > merkle.PROOF_MAX
        if short or not 0 <= self.index < self.size < 2**64:
            raise Refused("not in the log")
        root = merkle.include(self.index, self.size, merkle.leaf(self.sealed), rest)
        if root is None or rest:
            raise Refused("not in the log")
        lines = [self.origin, str(self.size), base64.b64encode(root).decode(), *self.extensions]
        note = "".join(f"{line}\n" for line in lines) + "\n"
        for name, signature in self.signatures:
            note += f"{DASH}{self.origin if name is None else name} {base64.b64encode(signature).decode()}\n"
        counts(Note(note), trust.log, trust.witnesses, trust.quorum)
        return judged(self.sealed, self.registration, self.person, trust)


class Slip:
    def __init__(self, text):
        self.sealed = letters(text, "ROLLCALL-SLIP:", 400)
        self.fields = peek(self.sealed, "rollcall-slip-v1")

    def judge(self, record, hash, key):
        """What it is worth beside a proof of its terminal: a line of proof-v1.md's table."""
        try:
            unseal(self.sealed, {"rollcall-slip-v1"}, key)
        except Refused:
            return "does not hold"
        if record["seq"] != self.fields["seq"]:
            return "not yet confirmed"
        return "confirmed" if hash == self.fields["hash"] else "contradiction"


# ---- Bundles -------------------------------------------------------------------------------------


class Bundle:
    def __init__(self, text):
        paper = shape(parse(text), ("format", "scope", "checkpoint", "entries"))
        if type(paper["format"]) is not str or type(paper["entries"]) is not list:
            raise Refused("no bundle")
        self.format = paper["format"]
        self.everything = paper["scope"] == "everything"
        if not self.everything:
            name(shape(paper["scope"], ("terminal",))["terminal"])
        self.checkpoint = data(paper["checkpoint"])
        self.entries = [Entry(value) for value in paper["entries"]]

    def check(self, trust):
        """What does not hold, by question: signatures, chain, ledger."""
        wrong = {"signatures": [], "chain": [], "ledger": []}
        if self.format != "rollcall-bundle-v2":
            wrong["ledger"].append("this is no bundle of version 2")
        try:
            checkpoint = trust.unseal(self.checkpoint, "rollcall-checkpoint-v1")
        except Refused as why:
            checkpoint = None
            wrong["signatures"].append(f"the checkpoint: {why}")
            wrong["ledger"].append("no trusted checkpoint")
        keys, chains = {}, {}
        for entry in self.entries:
            if checkpoint and not entry.is_in(checkpoint):
                wrong["ledger"].append(f"entry {entry.index}")
            try:
                link = entry.signed(trust, keys)
            except Refused as why:
                wrong["signatures"].append(f"entry {entry.index}: {why}")
                link = entry.link
            if link and not follows(chains, *link):
                wrong["chain"].append(f"entry {entry.index}")
        indices = [entry.index for entry in self.entries]
        if not indices or indices != sorted(set(indices)):
            wrong["ledger"].append("empty, or not in ascending order")
        if checkpoint and self.everything and len(indices) != checkpoint["size"]:
            wrong["ledger"].append("not everything")
        return wrong


def follows(chains, terminal, seq, record, hash):
    """Joins a record to its terminal's chain; bundle-v2.md, "Chain"."""
    links = chains.setdefault(terminal, {0: GENESIS})
    last = max(links)
    end, begins = links[last], last + 1
    gap = record.get("gap") if record["event"] == "gap" else None
    if gap and 1 <= gap["first"] <= begins <= seq and gap["last"] == seq - 1:
        begins = gap["first"]
    elif seq != begins:
        gap = begins = None
    links[seq] = hash
    # What was refused for its gap keeps its place although it follows the end of the chain.
    known = begins is not None and record["prev"] in (end, links.get(begins - 1))
    return record["seq"] == seq and known


class Ring:
    """The record keys of one terminal in their order: enrolment-v1.md, "Another record key"."""

    def __init__(self, key):
        self.keys, self.used = [bytes.fromhex(key)], 0
        if not ed25519.usable(self.keys[0]):
            raise Refused("no key")

    def follow(self, fact):
        said = unseal(bytes.fromhex(fact["proof"]), {"rollcall-succession-v1"}, self.keys[-1])[1]
        key, inner = bytes.fromhex(fact["key"]), bytes.fromhex(said["next"])
        if not ed25519.usable(key):
            raise Refused("no key")
        next_key = unseal(inner, {"rollcall-next-key-v1"}, key)[1]
        if said["terminal"] != fact["id"] or next_key != {"terminal": fact["id"], "key": fact["key"]}:
            raise Refused("its proof speaks of another key or terminal")
        if key in self.keys:
            raise Refused("a key comes again")
        self.keys.append(key)

    def open(self, sealed):
        """A record; what an older key seals after a newer one is none."""
        kid = envelope(sealed)[1]
        places = [place for place, key in enumerate(self.keys) if key_id(key) == kid]
        if not places:
            raise Refused("key")
        _, record = unseal(sealed, {"rollcall-record-v1"}, self.keys[places[-1]])
        if places[-1] < self.used:
            raise Refused("an older key after a newer one")
        self.used = places[-1]
        return record


class Entry:
    def __init__(self, value):
        value = shape(value, ("index", "kind", "sealed", "proof"), ("evidence", "person", "other"))
        self.index, self.kind = natural(value["index"]), value["kind"]
        if self.kind not in ("record", "refused", "fact"):
            raise Refused("an unknown kind")
        self.sealed, self.proof = data(value["sealed"]), hashes(value["proof"])
        read = {"evidence": data, "person": opened, "other": opened}
        beside = {f: read[f](value[f]) for f in read if value.get(f) is not None}
        self.evidence, self.person, self.other = (beside.get(f) for f in read)
        # Terminal, number, claims and hash, where it takes a place in a chain.
        self.link = None

    def is_in(self, checkpoint):
        root = bytes.fromhex(checkpoint["root"])
        return merkle.includes(merkle.leaf(self.sealed), self.index, checkpoint["size"], self.proof, root)

    def signed(self, trust, keys):
        """Checks its seal and what lies beside it; gives its link."""
        if (self.kind != "record" and (self.person or self.other)) or (self.kind != "refused" and self.evidence is not None):
            raise Refused("something lies beside it")
        if self.kind == "fact":
            fact = trust.unseal(self.sealed, "rollcall-fact-v1")["fact"]
            if fact["fact"] == "terminal":
                ring = keys.setdefault(fact["id"], Ring(fact["key"]))
                if bytes.fromhex(fact["key"]) not in ring.keys:
                    raise Refused("another key, without the word of the old one")
            elif fact["fact"] == "terminal_key":
                if fact["id"] not in keys:
                    raise Refused("a key follows none")
                keys[fact["id"]].follow(fact)
        elif self.kind == "refused":
            self.refused(trust.unseal(self.sealed, "rollcall-evidence-v1"))
        else:
            claims = peek(self.sealed, "rollcall-record-v1")
            if claims["terminal"] not in keys:
                raise Refused("not registered before")
            record = keys[claims["terminal"]].open(self.sealed)
            hash = hashlib.sha256(self.sealed).hexdigest()
            self.link = (record["terminal"], record["seq"], record, hash)
            opens(self.person, record.get("person"))
            opens(self.other, record.get("other", {}).get("person"))
        return self.link

    def refused(self, said):
        kept = self.evidence
        if kept is None:
            raise Refused("the refused bytes are missing")
        if said["bytes"] > EVIDENCE_MAX:
            fits = len(kept) == EVIDENCE_MAX
        else:
            fits = len(kept) == said["bytes"] and hashlib.sha256(kept).hexdigest() == said["hash"]
        if not fits:
            raise Refused("other bytes than the centre states")
        if "seq" in said:
            self.link = (said["terminal"], said["seq"], peek(kept, "rollcall-record-v1"), said["hash"])
