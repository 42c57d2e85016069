//! docs/spec/vectors/pictures.json: sealed pictures with a fixed key and fixed chance, and that only this
//! key reads from their bytes what stands beside them.

use data_encoding::HEXLOWER;
use rollcall::domain::{Notice, NoticeKind, Timestamp};
use rollcall::record::picture::{Cover, SealedPicture};
use rollcall::record::{ReadingKey, Record, Sealed};
use serde_json::{Value, json};

use crate::vectors::{check_in, hex, key, notice, without_nulls};
use crate::vectors_counter::roll_call;

const READING: [u8; 32] = [0x31; 32];
const CHANCE: [u8; 32] = [0x32; 32];

/// No JPEG, to keep the vectors short: a reader of the format does not look into it.
const PICTURE: &[u8] = b"a picture";

fn sealed(expires: Option<Timestamp>) -> SealedPicture {
    let cover = Cover {
        terminal: check_in().terminal,
        seq: 1,
        record: Sealed::seal(&crate::vectors::minimal(), &key("terminal")).hash(),
        taken: check_in().clock.wall,
        expires,
        reader: ReadingKey::from_secret(&READING).public().0,
    };
    SealedPicture::seal(cover, PICTURE, CHANCE).unwrap()
}

/// Thirty days later.
fn dated() -> SealedPicture {
    sealed(Some(check_in().clock.wall.plus_ms(30 * 86_400_000)))
}

/// The terminal keeps the picture that belongs to its first record.
pub(crate) fn picture_kept() -> Record {
    Record {
        seq: 10,
        prev: Sealed::seal(&roll_call(), &key("terminal")).hash(),
        person: None,
        notice: Some(Notice { kind: NoticeKind::PictureKept, digest: Some(dated().digest()) }),
        ..notice()
    }
}

pub(crate) fn pictures() -> Value {
    let vector = |name: &str, sealed: &SealedPicture| {
        let Cover { terminal, seq, record, taken, expires, reader } = sealed.cover();
        json!({
            "name": name,
            "reading_secret": hex(READING),
            "ephemeral_ikm": hex(CHANCE),
            "cover": without_nulls(json!({
                "terminal": terminal, "seq": seq, "record": record.to_string(),
                "taken": taken, "expires": expires, "reader": hex(reader),
            })),
            "content": hex(PICTURE),
            "picture": hex(sealed.bytes()),
            "digest": hex(sealed.digest()),
        })
    };
    json!({
        "about": "Evidence pictures (picture-v1.md). Their reading key is public: never use it.",
        "vectors": [vector("dated", &dated()), vector("no time was proven", &sealed(None))],
    })
}

#[test]
fn pictures_of_the_vectors_open_to_their_content_and_to_no_other_key() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/spec/vectors/pictures.json");
    let value: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let vectors = value["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let bytes =
            |name: &str| HEXLOWER.decode(vector[name].as_str().unwrap().as_bytes()).unwrap();
        let picture = SealedPicture::parse(bytes("picture")).unwrap();
        let reading = ReadingKey::from_secret(&bytes("reading_secret").try_into().unwrap());
        assert_eq!(picture.open(&reading).unwrap(), bytes("content"));
        assert!(picture.open(&ReadingKey::from_secret(&[1; 32])).is_err());
    }
}
