//! Genuine inputs: the vectors of docs/spec, and what this program itself writes.

use std::path::Path;

use data_encoding::HEXLOWER;
use rollcall::collector::Store;
use rollcall::collector::backup::backup;
use rollcall::domain::Fact;
use rollcall::ingest::{Intake, Limits, Step};
use rollcall::ledger::bundle::Bundle;
use rollcall::ledger::proof::Proof;
use rollcall::ledger::tree::Tree;
use rollcall::ledger::{Item, Kind, Ledger, Memory, Staged};
use rollcall::record::enrolment::{Answer, Welcome, digest_of, digest_of_all, seal_enrolment};
use rollcall::record::note::{KeyKind, Note, TreeHead, Vkey, cosign, sign};
use rollcall::record::{
    Batch, CentreMark, Checkpoint, Parcel, ReadingKey, SealedHash, SigningKey, Slip, Token,
    seal_statement,
};
use serde_json::Value;

use crate::pen::{MORNING, Pen};

pub(crate) const ORIGIN: &str = "rollcall.example/mianyang";
const WITNESS: &str = "regulator.example/w1";

/// The centre's key of all vectors.
pub(crate) fn centre() -> SigningKey {
    SigningKey::from_secret(&[2; 32])
}

fn witness() -> SigningKey {
    SigningKey::from_secret(&[100; 32])
}

/// The bytes under `field` of the vectors in `file`.
pub(crate) fn vectors(file: &str, field: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/spec/vectors").join(file);
    let text = std::fs::read_to_string(path).expect("the vectors are committed");
    let file: Value = serde_json::from_str(&text).expect("they are JSON");
    let vectors = file["vectors"].as_array().expect("they are a list");
    let hex = vectors.iter().filter_map(|vector| vector[field].as_str());
    hex.map(|hex| HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal")).collect()
}

/// The payload of a sealed statement.
pub(crate) fn payload(sealed: &[u8]) -> Vec<u8> {
    let mut decoder = minicbor::Decoder::new(sealed);
    decoder.tag().expect("a tag");
    decoder.array().expect("four parts");
    decoder.bytes().expect("the header");
    decoder.map().expect("the empty map");
    decoder.bytes().expect("the payload").to_vec()
}

/// The envelope of type `typ` around a payload, with a signature that says nothing.
pub(crate) fn envelope(typ: &str, payload: &[u8]) -> Vec<u8> {
    let mut header = minicbor::Encoder::new(Vec::new());
    let fields = header.map(3).unwrap().u8(1).unwrap().i8(-19).unwrap().u8(4).unwrap();
    fields.bytes(&[0; 8]).unwrap().u8(16).unwrap().str(typ).unwrap();
    let mut whole = minicbor::Encoder::new(Vec::new());
    let parts = whole.tag(minicbor::data::Tag::new(18)).unwrap().array(4).unwrap();
    let parts = parts.bytes(&header.into_writer()).unwrap().map(0).unwrap();
    parts.bytes(payload).unwrap().bytes(&[0; 64]).unwrap();
    whole.into_writer()
}

/// Parcels of a terminal, and the batch that they make.
pub(crate) fn parcels() -> Vec<Parcel> {
    let mut pen = Pen::new("t-1", 1);
    let mut parcels = pen.write_many(3);
    parcels.push(pen.write_gap(2));
    parcels.extend(pen.write_many(2));
    parcels
}

pub(crate) fn batches() -> Vec<Vec<u8>> {
    let mut batches = vectors("batches.json", "batch");
    let parcels = parcels();
    batches.push(Batch(parcels.clone()).encode());
    batches.extend(parcels.into_iter().map(|parcel| Batch(vec![parcel]).encode()));
    // As many parcels as fit, each of nothing: a count must be known before it is believed.
    batches.push([&[0x99, 0x9f, 0xff][..], &[0x81, 0x40].repeat(0x9fff)].concat());
    batches
}

/// The ledger of a small day.
pub(crate) struct Day {
    pub(crate) ledger: Memory,
    tree: Tree,
}

impl Day {
    pub(crate) fn new() -> Self {
        let registered = Pen::new("t-1", 1).registration();
        let mut items = vec![Item::Fact(registered.clone()), Item::Fact(Fact::Tick)];
        let mut intake = Intake::new(Limits::default());
        intake.learn(&registered);
        let mut ledger = Memory::default();
        let strange = Pen::new("t-1", 9).write();
        for parcel in parcels().into_iter().chain([strange]) {
            let terminal = "t-1".parse().expect("a name");
            for step in intake.offer(&terminal, parcel, &ledger).expect("memory does not fail") {
                match step {
                    Step::Commit(admitted) => items.push(Item::Record(admitted)),
                    Step::Keep { refused, .. } => items.push(Item::Refused(refused)),
                    Step::Again(_) | Step::Want { .. } | Step::Count { .. } => {}
                }
            }
        }
        let staged = Staged::seal(items, MORNING, MORNING, &centre()).expect("names are short");
        ledger.commit(staged).expect("memory does not fail");
        let stored = ledger.stored_since(0, 100).expect("memory does not fail");
        let tree = Tree::of(stored.iter().map(|stored| stored.leaf()).collect());
        Self { ledger, tree }
    }

    pub(crate) fn note(&self) -> Note {
        let (size, root) = (self.ledger.size(), self.ledger.root().0);
        let extensions = vec!["follows old.example 7 AAAA".to_owned()];
        let text = TreeHead { origin: ORIGIN.into(), size, root, extensions }.to_string();
        let lines = [
            sign(&text, ORIGIN, &centre()).expect("a name"),
            cosign(&text, WITNESS, &witness(), 1_772_411_400).expect("a name"),
        ];
        Note::new(text, lines.into())
    }

    pub(crate) fn proofs(&self) -> Vec<Vec<u8>> {
        let stored = self.ledger.stored_since(0, 100).expect("memory does not fail");
        let records = stored.iter().filter(|stored| stored.kind == Kind::Record);
        let proof = |record| {
            let size = self.ledger.size();
            let Ok(proof) = Proof::make(record, &stored[0], &self.note(), size, &self.tree);
            proof.expect("both lie within the tree").to_json().into_bytes()
        };
        records.map(proof).collect()
    }

    /// Its backup, as the collector writes it.
    pub(crate) fn backup(&self) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder of our own");
        let (store, out) = (Store::files(folder.path()), folder.path().join("backup"));
        let stored = self.ledger.stored_since(0, 100).expect("memory does not fail");
        let mut ledger = store.create_ledger().expect("the folder is empty");
        ledger.commit(Staged::restored(stored).expect("it is right")).expect("there is room");
        drop(ledger);
        backup(&store, ORIGIN, &centre(), &out, MORNING).expect("there is room");
        std::fs::read(out).expect("it was just written")
    }

    pub(crate) fn bundles(&self) -> Vec<Vec<u8>> {
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size: self.ledger.size(),
            root: self.ledger.root().0,
            at: MORNING,
        };
        let sealed = seal_statement(&checkpoint, &centre());
        let terminal = "t-1".parse().expect("a name");
        let export = |terminal| Bundle::export(&self.ledger, terminal, sealed.clone());
        let bundles = [export(None), export(Some(&terminal))];
        bundles.map(|bundle| bundle.expect("memory does not fail").to_json().into_bytes()).into()
    }
}

pub(crate) fn vkeys() -> Vec<Vec<u8>> {
    let log = Vkey::new(ORIGIN, KeyKind::Log, centre().verifying_key());
    let witness = Vkey::new(WITNESS, KeyKind::Witness, witness().verifying_key());
    [log, witness].map(|key| key.expect("a name").to_string().into_bytes()).into()
}

/// A file of trusted keys.
pub(crate) fn trust() -> String {
    let witness = String::from_utf8(vkeys().remove(1)).expect("keys are text");
    let key = centre().verifying_key();
    format!("# keys\nlog {key}\nreceipt {key}\nwitness {witness}\nquorum 1\n")
}

pub(crate) fn slips() -> Vec<Vec<u8>> {
    let slip = |seq| {
        let slip =
            Slip { terminal: "t-1".parse().expect("a name"), seq, hash: SealedHash([7; 32]) };
        slip.seal(&SigningKey::from_secret(&[1; 32])).to_string().into_bytes()
    };
    vec![slip(1), slip(u64::MAX >> 1)]
}

/// Requests to a witness.
pub(crate) fn requests(day: &Day) -> Vec<Vec<u8>> {
    let hash = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n";
    let request = |old: &str, hashes: usize| {
        format!("old {old}\n{}\n{}", hash.repeat(hashes), day.note()).into_bytes()
    };
    vec![request("0", 0), request("5", 3), request("18446744073709551615", 63)]
}

/// What the key of t-1 has sealed: the vectors are by the same key.
pub(crate) fn sealed_by_the_terminal() -> Vec<Vec<u8>> {
    let mut sealed = vectors("records.json", "sealed");
    sealed.extend(parcels().iter().map(|parcel| parcel.sealed.bytes().to_vec()));
    sealed
}

/// Tokens as they are printed, the first with the address of an enrolment endpoint.
pub(crate) fn tokens() -> Vec<Vec<u8>> {
    let centre = CentreMark::of(&centre().verifying_key(), CA);
    let token = |terminal: &str, url: &str| {
        let terminal = terminal.parse().expect("a name");
        let token = Token::new(terminal, [7; 16], centre, url.into());
        token.expect("the address is one").to_string().into_bytes()
    };
    vec![token("t-1", "http://centre.example:8081"), token("t-2", "")]
}

/// What stands for the CA's certificate: nothing here looks into it.
const CA: &[u8] = &[0x30; 400];
/// And for that of the one before.
const BEFORE: &[u8] = &[0x32; 400];

/// A terminal's request under a token.
pub(crate) fn request(token: &Token) -> Vec<u8> {
    let [record, tls] = [[1; 32], [4; 32]].map(|secret| SigningKey::from_secret(&secret));
    let reading = ReadingKey::from_secret(&[5; 32]).public();
    seal_enrolment(&token.terminal, token.centre, &token.key(), &record, &tls, Some(reading))
}

/// The centre's answer to it.
pub(crate) fn answer(token: &Token) -> Vec<u8> {
    let certificate = vec![0x31; 400];
    let welcome = Welcome {
        terminal: token.terminal.clone(),
        asked: digest_of(&request(token)),
        at: MORNING,
        site: "s-1".parse().expect("a name"),
        broker_host: "broker.example".into(),
        broker_port: 8883,
        certificate: digest_of(&certificate),
        until: MORNING.plus_ms(1_000_000_000),
        authorities: digest_of_all(&[CA.to_vec(), BEFORE.to_vec()]),
    };
    let welcome = seal_statement(&welcome, &centre());
    let receipt_key = centre().verifying_key().to_bytes();
    let before = Some(BEFORE.to_vec());
    Answer { ca: CA.to_vec(), receipt_key, certificate, welcome, before }.encode()
}

/// A table of each kind, and one in the encoding of Chinese offices.
pub(crate) fn tables() -> Vec<Vec<u8>> {
    use rollcall::collector::sheet::{Kind, write};
    let mut tables: Vec<_> = Kind::ALL.map(|kind| write(&kind.template())).to_vec();
    let text = std::str::from_utf8(&tables[0]).expect("tables are UTF-8");
    let (gb18030, _, _) = encoding_rs::GB18030.encode(text);
    tables.push(gb18030.into_owned());
    tables
}
