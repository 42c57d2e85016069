//! One broken value for each way that docs/spec forbids: what must be refused, and with which
//! error. Each deviates from a right value in one thing only. The envelopes are put together here
//! by hand, independently of `record`, because that can only make right ones.

use ed25519_dalek::Signer;
use minicbor::Encoder;
use rollcall::domain::{Outcome, Way};
use rollcall::record::{
    BATCH_PARCELS_MAX, Batch, Gap, Parcel, Receipt, Record, SEALED_BYTES_MAX, Sealed,
};
use serde_json::{Value, json};

use crate::picture_vectors::picture_kept;
use crate::vectors::{check_in, committed, full, gap, hex, key, minimal, notice, without_nulls};
use crate::vectors_counter::{confirmed, refused_template, roll_call};

/// Error, reason, bytes.
type Row = (&'static str, &'static str, Vec<u8>);

const RECORD: &str = "rollcall-record-v1";

/// The content of invalid.json.
pub(crate) fn invalid() -> Value {
    let groups = [
        ("record", envelopes()),
        ("record", headers()),
        ("record", signatures()),
        ("record", payloads()),
        ("record", contradictions()),
        ("receipt", receipts()),
        ("batch", batches()),
    ];
    let vectors: Vec<_> = groups
        .into_iter()
        .flat_map(|(of, rows)| rows.into_iter().map(move |row| (of, row)))
        .map(|(of, (error, why, bytes))| {
            let key = match of {
                "record" => json!("terminal"),
                "receipt" => json!("centre"),
                _ => Value::Null,
            };
            without_nulls(
                json!({ "of": of, "error": error, "why": why, "key": key, "bytes": hex(bytes) }),
            )
        })
        .collect();
    json!({ "about": "What must be refused, and with which error; each deviates in one thing only.",
        "vectors": vectors })
}

// ---- CBOR by hand ---------------------------------------------------------------------------

fn cbor(write: impl FnOnce(&mut Encoder<Vec<u8>>)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder);
    encoder.into_writer()
}

fn int(value: i64) -> Vec<u8> {
    cbor(|e| drop(e.i64(value)))
}

fn string(value: &[u8]) -> Vec<u8> {
    cbor(|e| drop(e.bytes(value)))
}

fn text(value: &str) -> Vec<u8> {
    cbor(|e| drop(e.str(value)))
}

/// A map of `fields` fields, given as keys and values in turn.
fn map(fields: u64, items: &[Vec<u8>]) -> Vec<u8> {
    let mut out = cbor(|e| drop(e.map(fields)));
    out.extend(items.concat());
    out
}

fn kid(of: &str) -> Vec<u8> {
    string(&key(of).verifying_key().id().0)
}

fn header(of: &str, typ: &str) -> Vec<u8> {
    map(3, &[int(1), int(-19), int(4), kid(of), int(16), text(typ)])
}

/// An envelope with every joint movable.
struct Forge {
    protected: Vec<u8>,
    payload: Vec<u8>,
    key: &'static str,
}

impl Forge {
    fn right() -> Self {
        Self::payload(minicbor::to_vec(minimal()).unwrap())
    }

    fn payload(payload: Vec<u8>) -> Self {
        Self { protected: header("terminal", RECORD), payload, key: "terminal" }
    }

    fn protected(protected: Vec<u8>) -> Self {
        Self { protected, ..Self::right() }
    }

    fn by(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_dalek::SigningKey::from_bytes(&key(self.key).secret()).sign(message).to_bytes()
    }

    fn signature(&self) -> [u8; 64] {
        let parts =
            [text("Signature1"), string(&self.protected), string(&[]), string(&self.payload)];
        self.sign(&[&[0x84][..], &parts.concat()].concat())
    }

    /// Protected header, unprotected header, payload, signature, as they should stand.
    fn parts(&self) -> [Vec<u8>; 4] {
        [string(&self.protected), vec![0xa0], string(&self.payload), string(&self.signature())]
    }

    /// The envelope with another beginning, and something at the end.
    fn framed(&self, start: &[u8], end: &[u8]) -> Vec<u8> {
        [start, &self.parts().concat(), end].concat()
    }

    /// The envelope with one of its four parts exchanged.
    fn with(&self, part: usize, by: Vec<u8>) -> Vec<u8> {
        let mut parts = self.parts();
        parts[part] = by;
        [&[0xd2, 0x84][..], &parts.concat()].concat()
    }

    fn seal(&self) -> Vec<u8> {
        self.framed(&[0xd2, 0x84], &[])
    }
}

// ---- records --------------------------------------------------------------------------------

fn envelopes() -> Vec<Row> {
    let right = Forge::right();
    let whole = right.seal();
    assert_eq!(
        whole,
        Sealed::seal(&minimal(), &key("terminal")).bytes(),
        "left alone, the forge makes right envelopes"
    );
    let chunks = [&[0x5f][..], &string(&right.payload), &[0xff]].concat();
    let unprotected = map(1, &[int(4), kid("terminal")]);
    let short = string(&right.signature()[..63]);
    let wrong = |why, bytes| ("envelope", why, bytes);
    vec![
        wrong("no bytes", vec![]),
        wrong("no tag", whole[1..].to_vec()),
        wrong("tag 98 (COSE_Sign)", right.framed(&[0xd8, 98, 0x84], &[])),
        wrong("the tag in two bytes", right.framed(&[0xd8, 18, 0x84], &[])),
        wrong("an array of five", right.framed(&[0xd2, 0x85], &[0xf6])),
        wrong("the array's length in two bytes", right.framed(&[0xd2, 0x98, 4], &[])),
        wrong("an array of indefinite length", right.framed(&[0xd2, 0x9f], &[0xff])),
        wrong("a byte follows the end", right.framed(&[0xd2, 0x84], &[0])),
        wrong("the last byte is missing", whole[..whole.len() - 1].to_vec()),
        wrong("an unprotected header", right.with(1, unprotected)),
        wrong("a detached payload (null)", right.with(2, vec![0xf6])),
        wrong("the payload in chunks", right.with(2, chunks)),
        wrong("a signature of 63 bytes", right.with(3, short)),
        ("too_long", "1025 bytes", vec![0xd2; SEALED_BYTES_MAX + 1]),
    ]
}

fn headers() -> Vec<Row> {
    let (alg, kid, typ) = ([int(1), int(-19)], [int(4), kid("terminal")], [int(16), text(RECORD)]);
    let sealed = |protected: Vec<u8>| Forge::protected(protected).seal();
    let fields = |count, groups: &[&[Vec<u8>]]| sealed(map(count, &groups.concat()));
    let eddsa = [int(1), int(-8)];
    let short = [int(4), string(&[0; 7])];
    let content_type = [int(3), int(60)];
    let indefinite = [&[0xbf][..], &header("terminal", RECORD)[1..], &[0xff]].concat();
    let longer = [&header("terminal", RECORD)[..], &[0]].concat();
    let wrong = |why, bytes| ("envelope", why, bytes);
    vec![
        wrong("algorithm -8 (EdDSA, not fully specified)", fields(3, &[&eddsa, &kid, &typ])),
        wrong("no key id", fields(2, &[&alg, &typ])),
        wrong("no type", fields(2, &[&alg, &kid])),
        wrong("a key id of seven bytes", fields(3, &[&alg, &short, &typ])),
        wrong("header labels in another order", fields(3, &[&kid, &alg, &typ])),
        wrong("a fourth header label", fields(4, &[&alg, &content_type, &kid, &typ])),
        wrong("a protected header of indefinite length", sealed(indefinite)),
        wrong("a byte follows the protected header", sealed(longer)),
        ("type", "a receipt's type", sealed(header("terminal", "rollcall-receipt-v1"))),
        ("type", "the type of a version to come", sealed(header("terminal", "rollcall-record-v2"))),
    ]
}

fn signatures() -> Vec<Row> {
    let right = Forge::right();
    let whole = right.seal();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let policy = whole.windows(7).position(|window| window == b"sichuan").unwrap();
    let honest = Forge::protected(header("stranger", RECORD)).by("stranger").seal();
    let posing = Forge::right().by("stranger").seal();
    let bare = right.with(3, string(&right.sign(&right.payload)));
    let lax = right.with(3, string(&malleated(right.signature())));
    vec![
        ("key", "sealed with another key, honestly named", honest),
        ("signature", "sealed with another key under this key's id", posing),
        ("signature", "signed over the payload alone, without Sig_structure", bare),
        ("signature", "a second signature that a lax verifier accepts (S + L)", lax),
        ("signature", "one bit of the signature flipped", flipped(whole.len() - 1)),
        ("signature", "one bit of the policy's name flipped", flipped(policy)),
    ]
}

/// Adds the order of the curve's group to the second half of a signature: the same point
/// equation holds, so a verifier that does not check its range accepts it.
fn malleated(mut signature: [u8; 64]) -> [u8; 64] {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    signature
}

/// The minimal record's payload with the value of one field exchanged.
fn exchanged(field: u8, by: &[u8]) -> Vec<u8> {
    let right = minicbor::to_vec(minimal()).unwrap();
    let mut fields = minicbor::Decoder::new(&right);
    let count = fields.map().unwrap().unwrap();
    for _ in 0..count {
        let number = fields.u8().unwrap();
        let start = fields.position();
        fields.skip().unwrap();
        if number == field {
            return [&right[..start], by, &right[fields.position()..]].concat();
        }
    }
    panic!("the minimal record has no field {field}");
}

/// The minimal record's payload with one more field at its end.
fn added(field: &[u8]) -> Vec<u8> {
    let mut bytes = [&minicbor::to_vec(minimal()).unwrap(), field].concat();
    // A map of up to 23 fields has its count in the first byte.
    bytes[0] += 1;
    bytes
}

fn payloads() -> Vec<Row> {
    let plain = minicbor::to_vec(minimal()).unwrap();
    let swapped = {
        let mut bytes = plain.clone();
        let at = bytes.windows(4).position(|window| window == [4, 3, 5, 3]).unwrap();
        bytes[at..at + 4].copy_from_slice(&[5, 3, 4, 3]);
        bytes
    };
    let wrong = |why, payload| ("payload", why, Forge::payload(payload).seal());
    vec![
        wrong("an empty payload", vec![]),
        wrong("an array for the map", vec![0x80]),
        wrong("a field that version 1 does not know (17)", added(&[17, 1])),
        wrong("a field twice", added(&[2, 1])),
        wrong("null where a field is absent", added(&[16, 0xf6])),
        wrong("fields in another order", swapped),
        wrong("a map of indefinite length", [&[0xbf][..], &plain[1..], &[0xff]].concat()),
        wrong("an integer in more bytes than it needs", exchanged(2, &[0x18, 1])),
        wrong("a text in chunks", exchanged(15, &[0x7f, 0x61, b'1', 0xff])),
        wrong("a floating-point number for an integer", exchanged(2, &[0xf9, 0x3c, 0])),
        wrong("a text for an integer", exchanged(2, &text("1"))),
        wrong("a tagged integer", exchanged(2, &[0xc1, 1])),
        wrong("a negative sequence number", exchanged(2, &int(-1))),
        wrong("an integer beyond 64 bits", exchanged(2, &[&[0xc2][..], &string(&[1; 9])].concat())),
        wrong("an outcome that version 1 does not know (12)", exchanged(5, &int(12))),
        wrong("a terminal's name with a capital letter", exchanged(1, &text("T-1"))),
        wrong("a terminal's name of 41 characters", exchanged(1, &text(&"t".repeat(41)))),
        wrong("a terminal's name that starts with '-'", exchanged(1, &text("-t"))),
        wrong("a hash of 31 bytes", exchanged(3, &string(&[0; 31]))),
        wrong("a text that is not UTF-8", exchanged(15, &[0x61, 0xff])),
        wrong("a byte follows the payload's end", [&plain[..], &[0]].concat()),
        wrong("a required field (12, clock) is absent", {
            let mut bytes = plain.clone();
            let start = bytes.windows(2).position(|window| window == [12, 0xa4]).unwrap();
            let mut clock = minicbor::Decoder::new(&plain[start + 1..]);
            clock.skip().unwrap();
            bytes.drain(start..start + 1 + clock.position());
            bytes[0] -= 1;
            bytes
        }),
    ]
}

fn contradictions() -> Vec<Row> {
    let wrong = |why, record: Record| {
        ("payload", why, Forge::payload(minicbor::to_vec(record).unwrap()).seal())
    };
    let with_gap = |first, last| Record { gap: Some(Gap { first, last }), ..gap() };
    let accepted = Some(Outcome::Accepted);
    let one = Some(Gap { first: 1, last: 1 });
    vec![
        wrong("sequence number 0", Record { seq: 0, ..minimal() }),
        wrong("a check-in without an outcome", Record { outcome: None, ..check_in() }),
        wrong("a gap beside a check-in", Record { gap: one, ..check_in() }),
        wrong("a gap statement with an outcome", Record { outcome: accepted, ..gap() }),
        wrong("a gap statement about a person", Record { person: check_in().person, ..gap() }),
        wrong("a gap statement without a gap", Record { gap: None, ..gap() }),
        wrong("a notice without what it states", Record { notice: None, ..notice() }),
        wrong("a notice about a consent of nobody", Record { person: None, ..notice() }),
        wrong("a notice with an outcome", Record { outcome: accepted, ..notice() }),
        wrong("confirmed by nobody of the staff", Record { staff: None, ..confirmed() }),
        wrong(
            "confirmed where nobody was asked",
            Record { way: Some(Way::Credential), ..confirmed() },
        ),
        wrong("confirmed, and somebody else's face", Record { other: full().other, ..confirmed() }),
        wrong("a template refused for nobody's sake", Record { other: None, ..refused_template() }),
        wrong("a roll call in no lesson", Record { lesson: None, ..roll_call() }),
        wrong(
            "an evidence picture kept of somebody",
            Record { person: check_in().person, ..picture_kept() },
        ),
        wrong("a check-in with a notice", Record { notice: notice().notice, ..check_in() }),
        wrong("a gap that ends before it begins", with_gap(5, 4)),
        wrong("a gap that begins at 0", with_gap(0, 4)),
        wrong("a gap that ends before its statement's predecessor", with_gap(3, 3)),
        wrong("a gap that includes its own statement", with_gap(3, 5)),
    ]
}

// ---- receipts and batches -------------------------------------------------------------------

fn receipts() -> Vec<Row> {
    let sealed = |typ: &str, first: i64, last: i64, code: Option<&str>| {
        let mut items = vec![int(1), text("t-1"), int(2), int(first), int(3), int(last)];
        items.extend([int(4), string(&[7; 32]), int(5), int(9), int(6), int(0)]);
        if let Some(code) = code {
            items.extend([int(7), text(code)]);
        }
        let payload = map(6 + u64::from(code.is_some()), &items);
        Forge { protected: header("centre", typ), payload, key: "centre" }.seal()
    };
    let (yes, no) = ("rollcall-receipt-v1", "rollcall-refusal-v1");
    let centre = key("centre").verifying_key();
    assert!(Receipt::open(&sealed(yes, 1, 2, None), &centre).is_ok());
    assert!(Receipt::open(&sealed(no, 2, 2, Some("forked")), &centre).is_ok());
    let own = committed().seal(&key("terminal"));
    vec![
        ("payload", "a receipt with a reason for refusing", sealed(yes, 1, 2, Some("forked"))),
        ("payload", "a refusal without a reason", sealed(no, 2, 2, None)),
        ("payload", "a refusal of two records", sealed(no, 1, 2, Some("forked"))),
        ("payload", "a receipt that ends before it begins", sealed(yes, 2, 1, None)),
        ("type", "a record where a receipt belongs", Forge::right().seal()),
        ("key", "a receipt sealed by a terminal", own),
    ]
}

fn batches() -> Vec<Row> {
    let parcel =
        |sealed: Vec<u8>| Parcel { sealed: Sealed::from_stored(sealed), person: None, other: None };
    let right = Forge::right().seal();
    let one = Batch(vec![parcel(right.clone())]).encode();
    let bare = [&[0x81][..], &string(&right)].concat();
    let salt = map(2, &[int(1), string(&[0; 31]), int(2), string(&[0; 16])]);
    let short = [&[0x81, 0x82][..], &string(&right), &salt].concat();
    let many = Batch(vec![parcel(vec![0]); BATCH_PARCELS_MAX + 1]).encode();
    let long = Batch(vec![parcel(vec![0; SEALED_BYTES_MAX + 1])]).encode();
    vec![
        ("shape", "no bytes", vec![]),
        ("shape", "a text", text("hello")),
        ("shape", "a byte follows its end", [&one[..], &[0]].concat()),
        ("shape", "a parcel that is no array", bare),
        ("shape", "an opening with a salt of 31 bytes", short),
        ("count", "no parcel", vec![0x80]),
        ("count", "65 parcels", many),
        ("record", "a record of 1025 bytes", long),
    ]
}
