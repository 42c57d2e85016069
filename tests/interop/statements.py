"""Sealed statements, as record-v1.md and transport.md write them down."""

import hashlib
import re

import ed25519
from cbor import Refused, string, whole

SEALED_MAX, BATCH_MAX, PARCELS_MAX = 1024, 81920, 64

# ---- The tables of record-v1.md ------------------------------------------------------------------


def check(condition, why="a wrong type"):
    if not condition:
        raise Refused(why)


def whole_number(low, high):
    def decode(v):
        check(type(v) is int and low <= v <= high)
        return v

    return decode


uint, time, score = (
    whole_number(0, 2**64 - 1),
    whole_number(-(2**63), 2**63 - 1),
    whole_number(-(2**31), 2**31 - 1),
)


def text(v):
    check(type(v) is str)
    return v


def name(v):
    check(type(v) is str and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", v), "no name")
    return v


def binary(length):
    def decode(v):
        check(type(v) is bytes and len(v) == length)
        return v.hex()

    return decode


def boolean(v):
    check(type(v) is bool)
    return v


def word(*words):
    """Words by their numbers from 1; a "-" holds the place of a number that means nothing."""

    def decode(v):
        check(type(v) is int and 1 <= v <= len(words) and words[v - 1] != "-", "an unknown number")
        return words[v - 1]

    return decode


def table(*rows):
    """Rows of key, field, type, and whether it may be absent."""

    def decode(v):
        check(type(v) is dict)
        check(v.keys() <= {row[0] for row in rows}, "an unknown field")
        out = {}
        for key, field, kind, optional in rows:
            if key in v:
                out[field] = kind(v[key])
            else:
                check(optional, f"{field} is missing")
        return out

    return decode


MAY, MUST = True, False
digest = binary(32)


def sealed_bytes(v):
    check(type(v) is bytes and len(v) <= SEALED_MAX)
    return v.hex()


scores = table(
    (1, "match_score", score, MAY),
    (2, "second_score", score, MAY),
    (3, "threshold", score, MUST),
    (4, "detection", score, MUST),
    (5, "liveness", score, MAY),
    (6, "pictures", uint, MAY),
    (7, "challenge", word("passed", "flat", "not_followed", "repeated"), MAY),
)
clock = table(
    (1, "wall", time, MUST),
    (2, "uptime", uint, MUST),
    (3, "boot", uint, MUST),
    (4, "signed", time, MAY),
    (5, "quality", word("synced", "holding", "doubtful"), MUST),
)
OUTCOMES = (
    "accepted already_in not_recognised looks_like_other ambiguous not_on_roster too_early"
    " too_late not_live no_lesson refused_by_policy"
).split()
NOTICES = (
    "camera_changed consent_given consent_withdrawn template_made template_deleted template_refused"
    " roll_called template_shared picture_kept picture_handed_over picture_deleted"
).split()
PICTURES = ("picture_kept", "picture_handed_over", "picture_deleted")
record_fields = table(
    (1, "terminal", name, MUST),
    (2, "seq", uint, MUST),
    (3, "prev", digest, MUST),
    (4, "event", word("check_in", "check_out", "attempt", "gap", "presence", "notice"), MUST),
    (5, "outcome", word(*OUTCOMES), MAY),
    (6, "lesson", name, MAY),
    (7, "person", digest, MAY),
    (8, "way", word("claimed", "open", "credential", "staff"), MAY),
    (9, "scores", scores, MAY),
    (10, "other", table((1, "person", digest, MUST), (2, "score", score, MUST)), MAY),
    (11, "same_face", table((1, "seq", uint, MUST), (2, "score", score, MUST)), MAY),
    (12, "clock", clock, MUST),
    (13, "pack", digest, MAY),
    (14, "policy", text, MUST),
    (15, "firmware", text, MUST),
    (16, "gap", table((1, "first", uint, MUST), (2, "last", uint, MUST)), MAY),
    (17, "notice", table((1, "kind", word(*NOTICES), MUST), (2, "digest", digest, MAY)), MAY),
    (18, "staff", digest, MAY),
)


def consistent(r):
    """Record, "Consistency": asked last, because such a record keeps its place in the chain."""
    try:
        check(r["seq"] >= 1, "sequence number 0")
        check((r["event"] == "notice") == ("notice" in r), "a notice, or none")
        told = {"outcome", "lesson", "person", "way", "scores", "other", "same_face", "staff"}
        check((r.get("way") == "staff") == ("staff" in r), "confirmed by somebody, or not")
        check(not {"staff", "other"} <= r.keys(), "confirmed, and somebody else's face")
        if r["event"] == "notice":
            kind = r["notice"]["kind"]
            concerns = kind not in ("camera_changed", "roll_called", *PICTURES)
            rest = told - {"person", "other", "lesson"} | {"gap"}
            check(not rest & r.keys(), "a notice tells something else")
            check(concerns == ("person" in r), "a notice names whom it concerns")
            check((kind == "template_refused") == ("other" in r), "whose face it is")
            check((kind == "roll_called") == ("lesson" in r), "a roll call is of a lesson")
        elif r["event"] == "gap":
            check("gap" in r, "a gap statement without a gap")
            check(not told & r.keys(), "a gap statement tells of somebody")
            check(1 <= r["gap"]["first"] <= r["gap"]["last"] == r["seq"] - 1, "a wrong gap")
        else:
            check("outcome" in r and "gap" not in r, "no outcome, or a gap")
    except Refused as why:
        raise Refused("payload") from why


receipt_fields = table(
    (1, "terminal", name, MUST),
    (2, "first", uint, MUST),
    (3, "last", uint, MUST),
    (4, "hash", digest, MUST),
    (5, "ledger_size", uint, MUST),
    (6, "at", time, MUST),
    (7, "refused", text, MAY),
)


def receipt(v):
    r = receipt_fields(v)
    check("refused" not in r and r["first"] <= r["last"], "a wrong receipt")
    return r


def refusal_receipt(v):
    r = receipt_fields(v)
    check("refused" in r and r["first"] == r["last"], "a wrong refusal")
    return r


bilingual = table((1, "zh", text, MUST), (2, "en", text, MUST))
place = table((1, "latitude_e6", score, MUST), (2, "longitude_e6", score, MUST))
SUBJECTS = ("institution", "site", "class", "lesson", "teacher", "claim")
STATES = (
    "applied opened closed suspended resumed cancelled enrolment_stopped enrolment_resumed"
    " rectification_ordered rectified listed delisted white_listed black_listed unlisted agreement"
    " agreement_ended licensed licence_revoked inspected site_verified submitted approved rejected paid"
    " taken_back shared"
).split()


LEVELS = ("none", "junior", "intermediate", "senior", "technician", "senior_technician")
LIMITS = (
    "subsidies_per_year employment_fund_per_year occupation_level lower_level hours_beyond_ledger hours_unproven"
    " offline_share online_share online_practice teacher_institutions fulltime_share unqualified exam_unseen"
    " unpublished_project project_persons project_hours project_occupation"
).split()


FUNCTIONS = ("real_names", "faces", "conduct", "records", "interaction", "quality")
HAPPENINGS = ("opened", "closed", "foreground", "background", "beat", "touch")


def many(kind):
    """An array of these."""

    def decode(v):
        check(type(v) is list, "no array")
        return [kind(it) for it in v]

    return decode


def happened(v):
    """platform-v1.md: an array of two, or of three with pages."""
    check(type(v) is list and len(v) in (2, 3), "no happening")
    told = {"after_ms": uint(v[0]), "what": word(*HAPPENINGS)(v[1])}
    check(v[0] < 2**32, "more than 32 bits")
    return told | ({"pages": uint(v[2])} if len(v) == 3 else {})


stretch = table(
    (1, "session", binary(16), MUST),
    (2, "account", digest, MUST),
    (3, "device", digest, MUST),
    (4, "person", table((1, "salt", digest, MUST), (2, "person", binary(16), MUST)), MUST),
    (5, "lesson", name, MAY),
    (6, "from", time, MUST),
    (7, "happenings", many(happened), MUST),
)


def subject(v):
    """What a status is about: an array of its kind and an array of its name."""
    check(type(v) is list and len(v) == 2 and type(v[1]) is list and len(v[1]) == 1)
    return {word(*SUBJECTS)(v[0]): name(v[1][0])}


VERDICTS = ("fraud", "error", "undecided")
REASONS = (
    "proxy_attendance made_up device_misused other_fraud honest_mistake device_fault wrong_data lookalike"
    " rule_wrong not_proven proof_lost nobody_reached"
).split()
STEPS = {
    1: ("taken", ()),
    2: ("commented", ()),
    3: ("snoozed", ((1, "until", time, MUST),)),
    4: (
        "judged",
        (
            (1, "verdict", word(*VERDICTS), MUST),
            (2, "reason", word(*REASONS), MUST),
            (3, "anomalies", uint, MUST),
            (4, "digest", binary(16), MUST),
        ),
    ),
    5: ("appealed", ((1, "party", word("institution", "trainee"), MUST),)),
    6: ("reopened", ()),
}


def step(v):
    """What is done about a case: an array of a number and its fields."""
    check(type(v) is list and len(v) == 2 and v[0] in STEPS, "an unknown step")
    kind, rows = STEPS[v[0]]
    if not rows:
        check(v[1] == [])
        return kind
    return {kind: table(*rows)(v[1])}


FACTS = {
    1: ("institution", ((1, "id", name), (2, "name", bilingual))),
    2: (
        "site",
        ((1, "id", name), (2, "institution", name), (3, "name", bilingual), (4, "town", bilingual), (5, "place", place)),
    ),
    3: ("terminal", ((1, "id", name), (2, "site", name), (3, "key", digest))),
    4: (
        "class",
        ((1, "id", name), (2, "institution", name), (3, "name", bilingual), (4, "persons", uint), (5, "roster", digest)),
    ),
    5: ("lesson", ((1, "id", name), (2, "class", name), (3, "site", name), (4, "starts", time), (5, "ends", time))),
    6: ("policy", ((1, "profile", text), (2, "digest", digest))),
    7: ("tick", ()),
    8: ("terminal_key", ((1, "id", name), (2, "key", digest), (3, "proof", sealed_bytes))),
    9: ("revocation", ((1, "id", name), (2, "reason", text))),
    10: ("replacement", ((1, "id", name), (2, "replaces", name))),
    # facts-v1.md
    16: (
        "institution_details",
        (
            (1, "institution", name),
            (2, "credit_code", text, MAY),
            (3, "ownership", word("public", "private", "company"), MAY),
            (4, "area", text, MAY),
        ),
    ),
    17: (
        "class_plan",
        (
            (1, "class", name),
            (2, "project", text),
            (3, "occupation", text),
            (4, "occupation_code", text, MAY),
            (5, "level", word(*LEVELS)),
            (6, "starts", time),
            (7, "ends", time),
            (8, "hours", uint),
            (9, "hours_practice", uint, MAY),
            (10, "hours_online", uint, MAY),
            (11, "target", word("employment", "entrepreneurship", "employees", "on_the_job")),
        ),
    ),
    18: (
        "lesson_details",
        (
            (1, "lesson", name),
            (2, "teacher", name, MAY),
            (3, "kind", word("theory", "practice", "exam"), MAY),
            (4, "mode", word("offline", "online"), MAY),
        ),
    ),
    19: ("joined", ((1, "class", name), (2, "member", digest))),
    20: (
        "left",
        (
            (1, "class", name),
            (2, "member", digest),
            (3, "reason", word("withdrawn", "finished", "excluded", "moved", "mistaken")),
        ),
    ),
    21: (
        "teacher",
        (
            (1, "id", name),
            (2, "institution", name),
            (3, "person", digest),
            (4, "employment", word("full_time", "part_time")),
            (5, "qualification", word("certificate", "trade", "experience", "none")),
        ),
    ),
    22: (
        "status",
        ((1, "of", subject), (2, "state", word(*STATES)), (3, "from", time), (4, "until", time, MAY), (5, "basis", text, MAY)),
    ),
    23: (
        "claim",
        (
            (1, "id", name),
            (2, "institution", name),
            (3, "class", name),
            (4, "persons", uint),
            (5, "hours", uint),
            (6, "amount_fen", uint),
            (7, "basis", text),
        ),
    ),
    24: ("claim_line", ((1, "claim", name), (2, "member", digest), (3, "hours", uint), (4, "amount_fen", uint))),
    25: (
        "roll_ordered",
        ((1, "order", digest), (2, "terminal", name), (3, "lesson", name), (4, "minutes", uint), (5, "by", text)),
    ),
    26: (
        "picture_opened",
        ((1, "digest", digest), (2, "terminal", name), (3, "seq", uint), (4, "by", text), (5, "reason", text)),
    ),
    27: (
        "case_step",
        ((1, "id", binary(16)), (2, "case", binary(16)), (3, "step", step), (4, "by", text), (5, "text", text, MAY)),
    ),
    28: (
        "project",
        (
            (1, "name", text),
            (2, "occupation", text),
            (3, "occupation_code", text, MAY),
            (4, "level", word(*LEVELS), MAY),
            (5, "hours_min", uint, MAY),
            (6, "hours_max", uint, MAY),
            (7, "persons_max", uint, MAY),
            (8, "notice", text),
            (9, "from", time),
            (10, "until", time, MAY),
        ),
    ),
    29: (
        "held",
        (
            (1, "id", name),
            (2, "person", digest),
            (3, "kind", word("certificate", "subsidy", "skill_subsidy")),
            (4, "occupation", text),
            (5, "occupation_code", text, MAY),
            (6, "level", word(*LEVELS)),
            (7, "on", time),
            (8, "fund", word("employment_fund", "unemployment_fund", "skill_account", "other"), MAY),
            (9, "class", name, MAY),
            (10, "source", text),
        ),
    ),
    30: (
        "objected",
        (
            (1, "of", subject),
            (2, "limit", word(*LIMITS)),
            (3, "persons", uint),
            (4, "found", uint),
            (5, "allowed", uint),
            (6, "policy", text),
        ),
    ),
    31: (
        "platform",
        (
            (1, "id", name),
            (2, "name", bilingual),
            (3, "key", digest),
            (4, "functions", many(table((1, "function", word(*FUNCTIONS), MUST), (2, "basis", text, MUST)))),
            (5, "listed", text, MAY),
        ),
    ),
    32: (
        "activity",
        (
            (1, "platform", name),
            (2, "report", uint),
            (3, "digest", digest),
            (4, "session", binary(16)),
            (5, "account", digest),
            (6, "device", digest),
            (7, "person", digest),
            (8, "lesson", name, MAY),
            (9, "from", time),
            (10, "happenings", many(happened)),
        ),
    ),
    33: (
        "trial",
        (
            (1, "profile", text),
            (2, "digest", digest),
            (3, "step", word("named", "withdrawn", "promoted")),
            (4, "by", text),
            (5, "reason", text),
        ),
    ),
}
# Their fields stand in a map inside the array of one.
WRAPPED = {"lesson"} | {FACTS[number][0] for number in (*range(16, 26), *range(27, 34))}
REFUSALS = {
    1: ("malformed", ((1, "detail", text),)),
    2: ("unknown_terminal", ()),
    3: ("foreign_terminal", ((1, "named", name),)),
    4: ("foreign_key", ()),
    5: ("bad_signature", ((1, "fits_chain", boolean),)),
    6: ("forked", ()),
    7: ("broken_chain", ()),
    8: ("bad_opening", ()),
    9: ("revoked", ()),
}


def choice(kinds, tag):
    def decode(v):
        check(type(v) is list and len(v) == 2 and v[0] in kinds, "an unknown kind")
        kind, rows = kinds[v[0]]
        fields = v[1]
        if tag == "fact" and kind in WRAPPED:
            check(type(fields) is list and len(fields) == 1)
            fields = fields[0]
        if not rows:
            check(fields == [])
            return {tag: kind}
        return {tag: kind} | table(*(row if len(row) == 4 else (*row, MUST) for row in rows))(fields)

    return decode


STATEMENTS = {
    "rollcall-record-v1": record_fields,
    "rollcall-receipt-v1": receipt,
    "rollcall-refusal-v1": refusal_receipt,
    "rollcall-wanted-v1": table((1, "terminal", name, MUST), (2, "from", uint, MUST)),
    "rollcall-time-v1": table((1, "terminal", name, MUST), (2, "nonce", binary(16), MUST), (3, "at", time, MUST), (4, "head", uint, MAY)),
    "rollcall-fact-v1": table((1, "at", time, MUST), (2, "fact", choice(FACTS, "fact"), MUST)),
    "rollcall-evidence-v1": table(
        (1, "at", time, MUST),
        (2, "terminal", name, MUST),
        (3, "refusal", choice(REFUSALS, "code"), MUST),
        (4, "hash", digest, MUST),
        (5, "bytes", uint, MUST),
        (6, "seq", uint, MAY),
    ),
    "rollcall-checkpoint-v1": table(
        (1, "origin", text, MUST), (2, "size", uint, MUST), (3, "root", digest, MUST), (4, "at", time, MUST)
    ),
    "rollcall-handover-v1": table((1, "from", digest, MUST), (2, "to", digest, MUST), (3, "at", time, MUST)),
    # platform-v1.md
    "rollcall-report-v1": table(
        (1, "platform", name, MUST),
        (2, "number", uint, MUST),
        (3, "made", time, MUST),
        (4, "stretches", many(stretch), MUST),
    ),
    "rollcall-report-taken-v1": table((1, "platform", name, MUST), (2, "upto", uint, MUST), (3, "at", time, MUST)),
    # enrolment-v1.md
    "rollcall-next-key-v1": table((1, "terminal", name, MUST), (2, "key", digest, MUST)),
    "rollcall-succession-v1": table((1, "terminal", name, MUST), (2, "next", sealed_bytes, MUST)),
    # proof-v1.md
    "rollcall-slip-v1": table((1, "terminal", name, MUST), (2, "seq", uint, MUST), (3, "hash", digest, MUST)),
}

# ---- The envelope --------------------------------------------------------------------------------


def envelope(sealed):
    """Protected header, key id, type, payload, signature."""
    if len(sealed) > SEALED_MAX:
        raise Refused("too_long")
    try:
        check(sealed[:1] == b"\xd2", "no COSE_Sign1 tag")
        parts = whole(sealed[1:])
        check(type(parts) is list and len(parts) == 4)
        protected, unprotected, payload, signature = parts
        check(type(protected) is bytes and unprotected == {} and type(payload) is bytes)
        check(type(signature) is bytes and len(signature) == 64)
        labels = whole(protected)
        check(type(labels) is dict and labels.keys() == {1, 4, 16} and labels[1] == -19)
        check(type(labels[4]) is bytes and len(labels[4]) == 8 and type(labels[16]) is str)
    except Refused as why:
        raise Refused("envelope") from why
    return protected, labels[4], labels[16], payload, signature


def fields_of(typ, payload):
    try:
        return STATEMENTS[typ](whole(payload))
    except Refused as why:
        raise Refused("payload") from why


def peek(sealed, typ):
    """What a statement claims, with no signature checked."""
    _, _, found, payload, _ = envelope(sealed)
    if found != typ:
        raise Refused("type")
    return fields_of(typ, payload)


def key_id(public):
    return hashlib.sha256(public).digest()[:8]


def unseal(sealed, types, public):
    """The statement's type and fields; all or nothing."""
    protected, kid, typ, payload, signature = envelope(sealed)
    if typ not in types:
        raise Refused("type")
    if kid != key_id(public):
        raise Refused("key")
    signed = b"\x84" + b"\x6aSignature1" + string(protected) + string(b"") + string(payload)
    if not ed25519.verify(public, signed, signature):
        raise Refused("signature")
    return typ, fields_of(typ, payload)


def commitment(opening):
    return hashlib.sha256(bytes.fromhex(opening["salt"]) + bytes.fromhex(opening["person"])).hexdigest()


# ---- Batches -------------------------------------------------------------------------------------

opening_fields = table((1, "salt", binary(32), MUST), (2, "person", binary(16), MUST))


def batch(message):
    if len(message) > BATCH_MAX:
        raise Refused("too_long")
    try:
        parcels = whole(message)
        check(type(parcels) is list)
    except Refused as why:
        raise Refused("shape") from why
    if not 1 <= len(parcels) <= PARCELS_MAX:
        raise Refused("count")
    out = []
    for parcel in parcels:
        try:
            check(type(parcel) is list and 1 <= len(parcel) <= 3 and type(parcel[0]) is bytes)
            fields = {"sealed": parcel[0].hex()}
            for of, value in zip(("person", "other"), parcel[1:]):
                if value is not None:
                    fields[of] = opening_fields(value)
                    fields[of]["commitment"] = commitment(fields[of])
        except Refused as why:
            raise Refused("shape") from why
        if len(parcel[0]) > SEALED_MAX:
            raise Refused("record")
        out.append(fields)
    return out


# ---- Evidence pictures (picture-v1.md) -----------------------------------------------------------


def picture(sealed):
    """The cover of a sealed picture; the rest is for the regulator's key alone."""
    parts = whole(sealed)
    check(type(parts) is list and len(parts) == 4, "another shape")
    mark, cover, encapsulated, ciphertext = parts
    check(mark == "rollcall-evidence-picture-v1", "another mark")
    check(type(cover) is list and len(cover) == 6, "another cover")
    check(type(encapsulated) is bytes and len(encapsulated) == 32 and type(ciphertext) is bytes)
    terminal, seq, record, taken, expires, reader = cover
    out = {"terminal": name(terminal), "seq": uint(seq), "record": digest(record), "taken": time(taken)}
    if expires is not None:
        out["expires"] = time(expires)
    return out | {"reader": digest(reader)}
