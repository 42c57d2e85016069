"""Checkpoints as signed notes: C2SP signed-note, tlog-checkpoint and tlog-cosignature, with the bounds of
log-v1.md."""

import base64
import binascii
import hashlib
import unicodedata

import ed25519
from cbor import Refused

LOG, WITNESS = 1, 4
NOTE_MAX, LINES_MAX, NAME_MAX, ORIGIN_MAX = 131072, 64, 200, 200
DASH = "\u2014 "


def binary(text):
    """Base64 with padding, in its only form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as why:
        raise Refused("no base64") from why
    if base64.b64encode(data).decode() != text:
        raise Refused("another form of base64")
    return data


def is_name(text):
    fine = all(not c.isspace() and c != "+" and unicodedata.category(c) != "Cc" for c in text)
    return fine and 1 <= len(text.encode()) <= NAME_MAX


class Key:
    """A name with a public key and what it signs."""

    def __init__(self, name, kind, public):
        if not is_name(name) or not ed25519.usable(public):
            raise Refused("no key of a note")
        self.name, self.kind, self.public = name, kind, public
        self.id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]

    @classmethod
    def read(cls, text):
        """From `name+hash+base64`."""
        name, hash, data = (text.split("+", 2) + ["", ""])[:3]
        data = binary(data)
        if len(data) != 33 or data[0] not in (LOG, WITNESS):
            raise Refused("no key of a note")
        key = cls(name, data[0], data[1:])
        if key.id.hex() != hash:
            raise Refused("another key's hash")
        return key

    def holds(self, text, signature):
        if self.kind == LOG:
            return len(signature) == 64 and ed25519.verify(self.public, text.encode(), signature)
        if len(signature) != 72:
            return False
        at = int.from_bytes(signature[:8], "big")
        return ed25519.verify(self.public, f"cosignature/v1\ntime {at}\n{text}".encode(), signature[8:])


class Note:
    def __init__(self, whole):
        if len(whole.encode()) > NOTE_MAX or any(c < " " and c != "\n" for c in whole):
            raise Refused("no note")
        text, parted, lines = whole.rpartition("\n\n")
        if not parted or not lines.endswith("\n"):
            raise Refused("no note")
        lines = lines[:-1].split("\n")
        if len(lines) > LINES_MAX:
            raise Refused("too many signatures")
        self.text, self.lines = text + "\n", [self.line(line) for line in lines]

    @staticmethod
    def line(line):
        name, parted, data = line.removeprefix(DASH).partition(" ")
        data = binary(data)
        if not line.startswith(DASH) or not parted or not is_name(name) or len(data) < 5:
            raise Refused("no line of a signature")
        return name, data[:4], data[4:]

    def signed_by(self, key):
        """True or False; None where the key has no line. One wrong line outweighs a right one."""
        lines = [data for name, id, data in self.lines if (name, id) == (key.name, key.id)]
        return all(key.holds(self.text, data) for data in lines) if lines else None


class Head:
    """What a checkpoint's text says."""

    def __init__(self, text):
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3 or not 1 <= len(lines[0].encode()) <= ORIGIN_MAX:
            raise Refused("no checkpoint")
        self.origin, size, root, *further = lines
        if not (size.isascii() and size.isdigit()) or (len(size) > 1 and size[0] == "0"):
            raise Refused("no size")
        self.size, self.root = int(size), binary(root)
        if self.size >= 2**64 or len(self.root) != 32:
            raise Refused("no checkpoint")
        if len(further) > 8 or any(not 1 <= len(line.encode()) <= 1024 for line in further):
            raise Refused("wrong extensions")


def counts(note, log_keys, witnesses, quorum):
    """What a checkpoint says; refused where it does not count (log-v1.md, "Checkpoint")."""
    head = Head(note.text)
    words = [note.signed_by(Key(head.origin, LOG, public)) for public in log_keys]
    if False in words or True not in words:
        raise Refused("the log has not signed")
    # Two names for one key are one witness, and a wrong line under either name spoils the note.
    words = [note.signed_by(key) for key in witnesses]
    if False in words:
        raise Refused("a witness's line does not hold")
    signed = {key.public for key, word in zip(witnesses, words) if word}
    if len(signed) < quorum:
        raise Refused("too few witnesses have signed")
    return head
