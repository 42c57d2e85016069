//! Random cases: what the second reader is asked, and what ours says to it. A seed names them.

use ed25519_dalek::Signer;
use minicbor::Encoder;
use rollcall::domain::{Fact, PersonId};
use rollcall::ingest::{Intake, Limits, Step};
use rollcall::ledger::bundle::{Bundle, Trust, check as check_bundle};
use rollcall::ledger::proof::{Code, Proof, check as check_proof, check_code};
use rollcall::ledger::tree::{
    Tree, TreeHash, prove_consistency, prove_inclusion, root_of, verify_consistency,
    verify_inclusion,
};
use rollcall::ledger::{Item, Kind, Ledger, Memory, Staged};
use rollcall::record::enrolment::seal_succession;
use rollcall::record::note::{KeyKind, Note, TreeHead, Vkey, cosign, sign};
use rollcall::record::{
    Checkpoint, OpenError, Receipt, Record, Sealed, SealedEvidence, SealedFact, SealedHash,
    SigningKey, Slip, SlipText, Stated, TimeAnswer, VerifyingKey, Wanted, open_statement,
    seal_statement,
};
use serde_json::{Value, json};

use crate::support::pen::{MORNING, Pen};
use crate::vectors::{
    all_evidence, all_facts, check_in, checkpoint, committed, full, gap, hex, key, minimal, notice,
    record_fields,
};

const ORIGIN: &str = "rollcall.example/mianyang";

/// Chance with a seed: SplitMix64 (Steele, Lea, Flood, 2014).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        &things[self.below(things.len())]
    }

    /// One bit, one byte, a cut, a doubled piece or a byte more.
    fn touch(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len().max(1));
        match self.below(5) {
            _ if bytes.is_empty() => bytes.push(0),
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = u8::try_from(self.below(256)).unwrap(),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
            _ => drop(bytes.remove(at)),
        }
    }

    /// The same for a text, which stays one.
    fn touch_text(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.touch(&mut bytes);
        String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
    }
}

/// A question, and our own answer.
pub(super) struct Case {
    pub(super) asked: Value,
    /// `{"read": …}` or `{"refused": …}`, where null stands for anything.
    pub(super) ours: Value,
}

impl Case {
    pub(super) fn agrees_with(&self, theirs: &Value) -> bool {
        ["read", "refused"].iter().all(|word| match (&self.ours.get(word), theirs.get(word)) {
            (Some(Value::Null), Some(_)) | (None, None) => true,
            (Some(ours), Some(theirs)) => *ours == theirs,
            (Some(_), None) | (None, Some(_)) => false,
        })
    }

    pub(super) fn holds(&self) -> bool {
        match &self.ours["read"] {
            Value::Bool(holds) => *holds,
            Value::Object(answers) => answers.values().all(|answer| *answer != json!(false)),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.ours.get("read").is_some()
            }
        }
    }
}

fn read<E>(answer: Result<Value, E>) -> Value {
    answer.map_or_else(|_| json!({ "refused": null }), |read| json!({ "read": read }))
}

// ---- statements -----------------------------------------------------------------------------

const CENTRE: [&str; 7] = [
    "rollcall-receipt-v1",
    "rollcall-refusal-v1",
    "rollcall-wanted-v1",
    "rollcall-time-v1",
    "rollcall-fact-v1",
    "rollcall-evidence-v1",
    "rollcall-checkpoint-v1",
];

pub(super) fn statements(dice: &mut Dice, n: usize) -> Vec<Case> {
    let genuine = genuine_statements();
    let keys = ["terminal", "centre", "stranger"];
    let case = |dice: &mut Dice| {
        let (typ, genuine) = dice.of(&genuine).clone();
        let signer = if CENTRE.contains(&typ) { "centre" } else { "terminal" };
        let mut sealed = genuine;
        match dice.below(4) {
            0 => {}
            1 => dice.touch(&mut sealed),
            // A payload that nobody meant, under a signature that holds.
            2 => sealed = resealed(&sealed, &key(signer), |payload| dice.touch(payload)),
            _ => {
                let times = 2 + dice.below(3);
                sealed = resealed(&sealed, &key(signer), |payload| {
                    (0..times).for_each(|_| dice.touch(payload));
                });
            }
        }
        let signer = if dice.one_in(20) { keys[dice.below(3)] } else { signer };
        let key = key(signer).verifying_key();
        let typ = if dice.one_in(20) { *dice.of(&CENTRE) } else { typ };
        statement(typ, &sealed, &key)
    };
    (0..n).map(|_| case(dice)).collect()
}

fn genuine_statements() -> Vec<(&'static str, Vec<u8>)> {
    let centre = key("centre");
    let mut all: Vec<(&'static str, Vec<u8>)> = Vec::new();
    // Most of what is read are records.
    for _ in 0..8 {
        for record in [minimal(), check_in(), gap(), notice(), full()] {
            let sealed = Sealed::seal(&record, &key("terminal"));
            all.push(("rollcall-record-v1", sealed.bytes().to_vec()));
        }
    }
    all.push(("rollcall-receipt-v1", committed().seal(&centre)));
    let wanted = Wanted { terminal: "t-1".parse().unwrap(), from: 7 };
    all.push(("rollcall-wanted-v1", seal_statement(&wanted, &centre)));
    let time = TimeAnswer {
        terminal: "t-1".parse().unwrap(),
        nonce: [0x99; 16],
        at: MORNING,
        head: Some(6),
    };
    all.push(("rollcall-time-v1", seal_statement(&time, &centre)));
    for fact in all_facts() {
        let sealed = seal_statement(&SealedFact { at: MORNING, fact }, &centre);
        all.push(("rollcall-fact-v1", sealed));
    }
    for evidence in all_evidence() {
        all.push(("rollcall-evidence-v1", seal_statement(&evidence, &centre)));
    }
    all.push(("rollcall-checkpoint-v1", seal_statement(&checkpoint(), &centre)));
    let slip = Slip { terminal: "t-1".parse().unwrap(), seq: 2, hash: SealedHash([7; 32]) };
    all.push(("rollcall-slip-v1", seal_statement(&slip, &key("terminal"))));
    all
}

/// The same envelope around another payload, sealed anew by hand.
fn resealed(sealed: &[u8], key: &SigningKey, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut decoder = minicbor::Decoder::new(sealed);
    decoder.tag().unwrap();
    decoder.array().unwrap();
    let protected = decoder.bytes().unwrap().to_vec();
    decoder.map().unwrap();
    let mut payload = decoder.bytes().unwrap().to_vec();
    change(&mut payload);
    let mut signed = Encoder::new(Vec::new());
    let parts = signed.array(4).unwrap().str("Signature1").unwrap().bytes(&protected).unwrap();
    parts.bytes(&[]).unwrap().bytes(&payload).unwrap();
    let signature =
        ed25519_dalek::SigningKey::from_bytes(&key.secret()).sign(&signed.into_writer());
    let mut whole = Encoder::new(Vec::new());
    let parts = whole.tag(minicbor::data::Tag::new(18)).unwrap().array(4).unwrap();
    let parts = parts.bytes(&protected).unwrap().map(0).unwrap().bytes(&payload).unwrap();
    parts.bytes(&signature.to_bytes()).unwrap();
    whole.into_writer()
}

fn statement(typ: &'static str, sealed: &[u8], key: &VerifyingKey) -> Case {
    fn opens<T: Stated>(sealed: &[u8], key: &VerifyingKey) -> Result<Value, OpenError> {
        open_statement::<T>(sealed, key).map(|_| Value::Null)
    }
    let record = || {
        let record = Record::open(sealed, key)?;
        record.consistent().map_err(|why| OpenError::Payload(why.into()))?;
        Ok(record_fields(&record))
    };
    let (types, answer) = match typ {
        "rollcall-record-v1" => (vec![typ], record()),
        "rollcall-receipt-v1" | "rollcall-refusal-v1" => {
            let receipt = Receipt::open(sealed, key).map(|_| Value::Null);
            (vec!["rollcall-receipt-v1", "rollcall-refusal-v1"], receipt)
        }
        "rollcall-wanted-v1" => (vec![typ], opens::<Wanted>(sealed, key)),
        "rollcall-time-v1" => (vec![typ], opens::<TimeAnswer>(sealed, key)),
        "rollcall-fact-v1" => (vec![typ], opens::<SealedFact>(sealed, key)),
        "rollcall-evidence-v1" => (vec![typ], opens::<SealedEvidence>(sealed, key)),
        "rollcall-checkpoint-v1" => (vec![typ], opens::<Checkpoint>(sealed, key)),
        "rollcall-slip-v1" => (vec![typ], opens::<Slip>(sealed, key)),
        typ => panic!("{typ} is no type of statement"),
    };
    let asked = json!({ "of": "statement", "types": types, "sealed": hex(sealed),
        "key": hex(key.to_bytes()) });
    let ours = match answer {
        Ok(read) => json!({ "read": read }),
        Err(error) => json!({ "refused": crate::record_vectors::open_error(&error) }),
    };
    Case { asked, ours }
}

// ---- trees ----------------------------------------------------------------------------------

fn leaves(dice: &mut Dice) -> Vec<TreeHash> {
    let size = if dice.one_in(2) { 1 + dice.below(20) } else { 1 + dice.below(600) };
    (0..size).map(|leaf| TreeHash::leaf(&(leaf as u64).to_be_bytes())).collect()
}

/// A bit, a hash more, a hash less, two exchanged; or nothing.
fn touch_hashes(dice: &mut Dice, proof: &mut Vec<TreeHash>) {
    match dice.below(8) {
        0 if !proof.is_empty() => drop(proof.pop()),
        1 => proof.push(TreeHash([1; 32])),
        2 if !proof.is_empty() => {
            let hash = dice.below(proof.len());
            proof[hash].0[dice.below(32)] ^= 1 << dice.below(8);
        }
        3 if proof.len() > 1 => {
            let (one, other) = (dice.below(proof.len()), dice.below(proof.len()));
            proof.swap(one, other);
        }
        _ => {}
    }
}

/// The number, or one beside it.
fn near(dice: &mut Dice, number: u64) -> u64 {
    match dice.below(10) {
        0 => number + 1,
        1 => number.saturating_sub(1),
        2 => dice.next() >> dice.below(64),
        _ => number,
    }
}

pub(super) fn inclusions(dice: &mut Dice, n: usize) -> Vec<Case> {
    let case = |dice: &mut Dice| {
        let leaves = leaves(dice);
        let (index, size) = (dice.below(leaves.len()), leaves.len() as u64);
        let (leaf, tree) = (leaves[index], Tree::of(leaves));
        let Ok(proof) = prove_inclusion(&tree, index as u64, size);
        let mut proof = proof.expect("it lies within the tree");
        touch_hashes(dice, &mut proof);
        let (index, size, root) = (near(dice, index as u64), near(dice, size), tree.root());
        let asked = json!({ "of": "inclusion", "leaf": hex(leaf.0), "index": index, "size": size,
            "root": hex(root.0), "proof": proof.iter().map(|h| hex(h.0)).collect::<Vec<_>>() });
        let ours = json!({ "read": verify_inclusion(leaf, index, size, &proof, root) });
        Case { asked, ours }
    };
    (0..n).map(|_| case(dice)).collect()
}

pub(super) fn consistencies(dice: &mut Dice, n: usize) -> Vec<Case> {
    let case = |dice: &mut Dice| {
        let leaves = leaves(dice);
        let new = leaves.len() as u64;
        let old = dice.below(leaves.len() + 1) as u64;
        let tree = Tree::of(leaves);
        let Ok(proof) = prove_consistency(&tree, old, new);
        let mut proof = proof.expect("the old tree is no larger");
        let (Ok(old_root), new_root) = (root_of(&tree, old), tree.root());
        touch_hashes(dice, &mut proof);
        let (old, new) = (near(dice, old), near(dice, new));
        let asked = json!({ "of": "consistency", "old": old, "new": new,
            "old_root": hex(old_root.0), "new_root": hex(new_root.0),
            "proof": proof.iter().map(|h| hex(h.0)).collect::<Vec<_>>() });
        let ours = verify_consistency(old, old_root, new, new_root, &proof);
        Case { asked, ours: json!({ "read": ours }) }
    };
    (0..n).map(|_| case(dice)).collect()
}

// ---- checkpoints ----------------------------------------------------------------------------

fn witness_key(n: u8) -> SigningKey {
    SigningKey::from_secret(&[100 + n; 32])
}

fn witness_name(n: u8) -> String {
    format!("regulator.example/w{n}")
}

/// A file of trusted keys: the log, three witnesses.
fn trust(quorum: usize) -> String {
    let mut text = format!("# keys\nlog {}\n", key("centre").verifying_key());
    for n in 0..3 {
        let witness = Vkey::new(&witness_name(n), KeyKind::Witness, witness_key(n).verifying_key());
        text += &format!("witness {}\n", witness.unwrap());
    }
    text + &format!("quorum {quorum}\n")
}

/// A checkpoint's note, signed by the log and some witnesses.
fn note(head: &TreeHead, witnesses: &[u8]) -> Note {
    let text = head.to_string();
    let mut lines = vec![sign(&text, &head.origin, &key("centre")).unwrap()];
    for &n in witnesses {
        lines.push(cosign(&text, &witness_name(n), &witness_key(n), 1_772_411_400).unwrap());
    }
    Note::new(text, lines)
}

pub(super) fn checkpoints(dice: &mut Dice, n: usize) -> Vec<Case> {
    let case = |dice: &mut Dice| {
        let extensions = (0..dice.below(3)).map(|n| format!("further {n}")).collect();
        let size = dice.next() >> dice.below(64);
        let head = TreeHead { origin: ORIGIN.into(), size, root: [7; 32], extensions };
        let witnesses: Vec<u8> = (0..3).filter(|_| !dice.one_in(4)).collect();
        let mut text = note(&head, &witnesses).to_string();
        if dice.one_in(2) {
            text = dice.touch_text(&text);
        }
        let trust = trust(dice.below(4));
        let judged = || {
            let (note, trust) = (text.parse::<Note>().ok()?, Trust::parse(&trust).ok()?);
            let head = trust.policy_for(&note).ok()?.judge(&note).ok()?;
            Some(json!({ "origin": head.origin, "size": head.size, "root": hex(head.root) }))
        };
        let ours = read(judged().ok_or(()));
        Case { asked: json!({ "of": "note", "note": text, "trust": trust }), ours }
    };
    (0..n).map(|_| case(dice)).collect()
}

// ---- proofs, slips, bundles -----------------------------------------------------------------

/// A small ledger of two terminals with everything that a bundle can hold.
pub(super) struct World {
    ledger: Memory,
    tree: Tree,
    checkpoint: Vec<u8>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut pens = [Pen::new("t-1", 1), Pen::new("t-2", 2)];
        let mut items = vec![Item::Fact(pens[0].registration()), Item::Fact(Fact::Tick)];
        items.push(Item::Fact(pens[1].registration()));
        let mut ledger = Memory::default();
        let mut intake = Intake::new(Limits::default());
        pens.iter().for_each(|pen| intake.learn(&pen.registration()));
        let mut parcels = Vec::new();
        for pen in &mut pens {
            parcels.extend(pen.write_many(4));
            parcels.push(pen.write_gap(2));
            parcels.extend(pen.write_many(2));
            let (mut record, opening) = pen.draft();
            record.outcome = None;
            parcels.push(pen.seal(&record, Some(opening)));
            parcels.extend(pen.write_many(2));
        }
        // The second terminal goes on with another key, by the word of both.
        let after = SigningKey::from_secret(&[22; 32]);
        let followed = parcels.len();
        let follows = Fact::TerminalKey {
            id: pens[1].terminal.clone(),
            key: after.verifying_key().to_bytes(),
            proof: seal_succession(&pens[1].terminal, &pens[1].key, &after),
        };
        pens[1].key = after;
        parcels.extend(pens[1].write_many(3));
        parcels.push(Pen::new("t-2", 3).write());
        for (place, parcel) in parcels.into_iter().enumerate() {
            if place == followed {
                intake.learn(&follows);
                items.push(Item::Fact(follows.clone()));
            }
            let named = Record::peek(parcel.sealed.bytes()).unwrap().0.terminal;
            for step in intake.offer(&named, parcel, &ledger).unwrap() {
                match step {
                    Step::Commit(admitted) => items.push(Item::Record(admitted)),
                    Step::Keep { refused, .. } => items.push(Item::Refused(refused)),
                    Step::Again(_) | Step::Want { .. } | Step::Count { .. } => {}
                }
            }
        }
        let staged = Staged::seal(items, MORNING, MORNING, &key("centre")).unwrap();
        ledger.commit(staged).unwrap();
        ledger.erase(PersonId([3; 16])).unwrap();
        let stored = ledger.stored_since(0, 1_000).unwrap();
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size: ledger.size(),
            root: ledger.root().0,
            at: MORNING,
        };
        Self {
            tree: Tree::of(stored.iter().map(|stored| stored.leaf()).collect()),
            checkpoint: seal_statement(&checkpoint, &key("centre")),
            ledger,
        }
    }

    fn head(&self) -> TreeHead {
        let (size, root) = (self.ledger.size(), self.ledger.root().0);
        TreeHead { origin: ORIGIN.into(), size, root, extensions: Vec::new() }
    }

    /// The proof of the record at `index`.
    fn proof(&self, index: u64, witnesses: &[u8]) -> Proof {
        let stored = self.ledger.stored_since(0, 1_000).unwrap();
        let record = &stored[usize::try_from(index).unwrap()];
        let named = Record::peek(&record.sealed).unwrap().0.terminal;
        // The third fact of all that is no tick: the key that followed.
        let follows = stored.iter().filter(|stored| stored.kind == Kind::Fact).nth(3).unwrap();
        let registration = match named.as_str() {
            "t-1" => &stored[0],
            _ if index > follows.index => follows,
            _ => &stored[2],
        };
        let note = note(&self.head(), witnesses);
        let Ok(proof) = Proof::make(record, registration, &note, self.ledger.size(), &self.tree);
        proof.expect("both lie within the tree")
    }

    fn bundle(&self, terminal: Option<&str>) -> Bundle {
        let terminal = terminal.map(|name| name.parse().unwrap());
        Bundle::export(&self.ledger, terminal.as_ref(), self.checkpoint.clone()).unwrap()
    }
}

pub(super) fn papers(dice: &mut Dice, world: &World, n: usize) -> Vec<Case> {
    let case = |dice: &mut Dice| match dice.below(8) {
        0 => bundle(dice, world),
        1..=2 => slip(dice, world),
        3..=4 => code(dice, world),
        _ => proof(dice, world),
    };
    (0..n).map(|_| case(dice)).collect()
}

/// A byte in one of the base64 texts, or anywhere.
fn touch_json(dice: &mut Dice, text: &str) -> String {
    if dice.one_in(2) { dice.touch_text(text) } else { text.to_owned() }
}

/// Places of records that were admitted, those of t-1 and those of t-2.
fn record_places(world: &World) -> Vec<u64> {
    let stored = world.ledger.stored_since(0, 1_000).unwrap();
    let records = stored.iter().filter(|stored| stored.kind == Kind::Record);
    records.map(|stored| stored.index).collect()
}

fn proof(dice: &mut Dice, world: &World) -> Case {
    let mut proof = world.proof(*dice.of(&record_places(world)), &[0, 1, 2]);
    match dice.below(8) {
        0 => proof.record.index = near(dice, proof.record.index),
        1 => dice.touch(&mut proof.record.sealed.0),
        2 => dice.touch(&mut proof.registration.sealed.0),
        3 => proof.checkpoint = dice.touch_text(&proof.checkpoint),
        4 => proof.person = world.proof(*dice.of(&record_places(world)), &[]).person,
        _ => {}
    }
    let text = touch_json(dice, &proof.to_json());
    let trust = trust(dice.below(4));
    let checked = || {
        let (proof, trust) = (serde_json::from_str(&text).ok()?, Trust::parse(&trust).ok()?);
        let proven = check_proof(&proof, &trust).ok()?;
        Some(json!({ "record": record_fields(&proven.record), "hash": proven.hash.to_string() }))
    };
    let ours = read(checked().ok_or(()));
    Case { asked: json!({ "of": "proof", "proof": text, "trust": trust }), ours }
}

/// The QR form of a proof, touched in its fields or its letters.
fn code(dice: &mut Dice, world: &World) -> Case {
    let proof = world.proof(*dice.of(&record_places(world)), &[0, 1, 2]);
    let mut code = Code::of(&proof).unwrap();
    match dice.below(12) {
        0 => code.index = near(dice, code.index),
        1 => code.size = near(dice, code.size),
        2 => dice.touch(&mut code.record),
        3 => dice.touch(&mut code.registration),
        4 => dice.touch(&mut code.hashes),
        5 => drop(code.signatures.pop()),
        6 => dice.touch(&mut code.signatures[1].bytes),
        7 => code.extensions.push("one more".into()),
        8 => {
            code.person =
                Code::of(&world.proof(*dice.of(&record_places(world)), &[])).unwrap().person
        }
        _ => {}
    }
    let mut text = code.to_string();
    if dice.one_in(3) {
        text = dice.touch_text(&text);
    }
    let trust = trust(dice.below(4));
    let checked = || {
        let code = text.starts_with("ROLLCALL-PROOF:").then(|| text.parse::<Code>().ok())??;
        let proven = check_code(&code, &Trust::parse(&trust).ok()?).ok()?;
        Some(json!({ "record": record_fields(&proven.record), "hash": proven.hash.to_string() }))
    };
    let ours = read(checked().ok_or(()));
    Case { asked: json!({ "of": "proof", "proof": text, "trust": trust }), ours }
}

fn slip(dice: &mut Dice, world: &World) -> Case {
    let proof = world.proof(*dice.of(&record_places(world)), &[0, 1, 2]);
    let other = world.proof(*dice.of(&record_places(world)), &[0, 1, 2]);
    let (record, _) = Record::peek(&other.record.sealed.0).unwrap();
    let mut hash = SealedHash::of(&other.record.sealed.0);
    if dice.one_in(4) {
        hash.0[0] ^= 1;
    }
    let slip = Slip { terminal: record.terminal.clone(), seq: record.seq, hash };
    let seed = if record.terminal.as_str() == "t-1" { 1 } else { 2 };
    let seed = if dice.one_in(6) { 9 } else { seed };
    let mut text = slip.seal(&SigningKey::from_secret(&[seed; 32])).to_string();
    if dice.one_in(3) {
        text = dice.touch_text(&text);
    }
    let trust = trust(3);
    let judged = || {
        let said = text.parse::<SlipText>().ok()?.peek().ok()?;
        let proven = check_proof(&proof, &Trust::parse(&trust).ok()?).ok()?;
        if said.terminal != proven.record.terminal {
            return Some("not checked");
        }
        let opened = text.parse::<SlipText>().ok()?.open(&proven.key).is_ok();
        Some(match (opened, said.seq == proven.record.seq, said.hash == proven.hash) {
            (false, ..) => "does not hold",
            (true, false, _) => "not yet confirmed",
            (true, true, true) => "confirmed",
            (true, true, false) => "contradiction",
        })
    };
    let ours = read(judged().map(Value::from).ok_or(()));
    let asked = json!({ "of": "proof", "proof": proof.to_json(), "trust": trust, "slip": text });
    Case { asked, ours }
}

fn bundle(dice: &mut Dice, world: &World) -> Case {
    let mut bundle = world.bundle(*dice.of(&[None, Some("t-1"), Some("t-2")]));
    let line = dice.below(bundle.entries.len());
    match dice.below(10) {
        0 => drop(bundle.entries.remove(line)),
        1 => dice.touch(&mut bundle.entries[line].sealed.0),
        2 => bundle.entries[line].index = near(dice, bundle.entries[line].index),
        3 => bundle.entries[line].person = bundle.entries[0].person.clone(),
        4 => bundle.entries.swap(0, line),
        5 => dice.touch(&mut bundle.checkpoint.0),
        6 => bundle.entries[line].evidence = Some(bundle.entries[0].sealed.clone()),
        _ => {}
    }
    let text = touch_json(dice, &bundle.to_json());
    let trust = trust(0);
    let ours = read(serde_json::from_str::<Bundle>(&text).map(|bundle| {
        let found = check_bundle(&bundle, &Trust::parse(&trust).unwrap());
        json!({ "signatures": found.signatures.holds(), "chain": found.chain.holds(),
            "ledger": found.ledger.holds() })
    }));
    Case { asked: json!({ "of": "bundle", "bundle": text, "trust": trust }), ours }
}
