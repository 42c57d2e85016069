//! What is read, and what must hold for every input.

use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use minicbor::{Decode, Encode};
use rollcall::collector::backup::check as check_backup;
use rollcall::collector::carried::Carried;
use rollcall::collector::facts;
use rollcall::collector::sheet::{self, Kind};
use rollcall::domain::{Policy, TerminalId};
use rollcall::ingest::{Intake, Limits, Step};
use rollcall::journal::Standing;
use rollcall::ledger::backup::{Line, json};
use rollcall::ledger::bundle::{Bundle, Trust, check as check_bundle};
use rollcall::ledger::proof::{Code, Proof, check as check_proof, check_code};
use rollcall::ledger::tiles::entries_in;
use rollcall::ledger::{Memory, Staged};
use rollcall::record::enrolment::{Answer, Expected, open_enrolment, peek_request};
use rollcall::record::note::{Note, TreeHead, Vkey, Word, parse_lines};
use rollcall::record::report::{Report, ReportTaken};
use rollcall::record::{
    Batch, Checkpoint, Parcel, Receipt, Record, SealedEvidence, SealedFact, Slip, SlipText, Stated,
    TimeAnswer, Token, Wanted, peek_statement, seal_statement,
};
use rollcall::uplink::{Action, Event, Link, Pace};
use rollcall::witness::Request;

use crate::corpus::{self, Day, centre, envelope, payload, vectors};
use crate::pen::Pen;

/// Whether the input was read; what is wrong with how.
pub(crate) type Held = Result<bool, String>;

/// Reads one input.
pub(crate) type Check = Box<dyn Fn(&[u8]) -> Held>;

/// One reader.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// How large its part of all inputs is.
    pub(crate) share: usize,
    /// Memory that each byte of input may cost.
    pub(crate) bytes_for_each: usize,
    pub(crate) corpus: Vec<Vec<u8>>,
    pub(crate) check: Check,
}

pub(crate) fn target(
    name: &'static str,
    share: usize,
    corpus: Vec<Vec<u8>>,
    check: impl Fn(&[u8]) -> Held + 'static,
) -> Target {
    assert!(!corpus.is_empty(), "{name} has nothing to touch");
    Target { name, share, bytes_for_each: 32, corpus, check: Box::new(check) }
}

/// What was read must be written as it was.
fn again(written: &[u8], input: &[u8], what: &dyn std::fmt::Debug) -> Held {
    if written == input { Ok(true) } else { Err(format!("{what:?} was read from another form")) }
}

fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

/// Payloads of one kind of statement, in an envelope: whatever is read from one has only this form.
pub(crate) fn statement<T>(name: &'static str, typ: &'static str, corpus: &[Vec<u8>]) -> Target
where
    T: Stated + std::fmt::Debug + Encode<()> + for<'b> Decode<'b, ()>,
{
    let payloads = corpus.iter().map(|sealed| payload(sealed)).collect();
    target(name, 8, payloads, move |input| match peek_statement::<T>(&envelope(typ, input)) {
        Ok(read) => again(&payload(&seal_statement(&read, &centre())), input, &read),
        Err(_) => Ok(false),
    })
}

pub(crate) fn all() -> Vec<Target> {
    let records = vectors("records.json", "sealed");
    let answers = vectors("answers.json", "sealed");
    let ledger = vectors("ledger.json", "sealed");
    let day = Day::new();
    let broken = vectors("invalid.json", "bytes");
    let mut all = vec![
        target(
            "record",
            16,
            [records.clone(), broken.clone()].concat(),
            |input| match Record::peek(input) {
                Ok((record, _)) => Ok(minicbor::to_vec(&record).is_ok_and(|p| p == payload(input))),
                Err(_) => Ok(false),
            },
        ),
        target(
            "record_payload",
            16,
            records.iter().map(|sealed| payload(sealed)).collect(),
            |input| {
                let Ok((record, _)) = Record::peek(&envelope("rollcall-record-v1", input)) else {
                    return Ok(false);
                };
                // What does not fit together is said in words.
                record.consistent().err().inspect(|why| assert!(!why.is_empty()));
                again(&minicbor::to_vec(&record).expect("a vector takes all"), input, &record)
            },
        ),
        target("receipt", 2, answers.clone(), |input| {
            let key = centre().verifying_key();
            let Ok(receipt) = Receipt::open(input, &key) else { return Ok(false) };
            again(&receipt.seal(&centre()), input, &receipt)
        }),
        statement::<SealedFact>("fact", "rollcall-fact-v1", &ledger),
        statement::<SealedEvidence>("evidence", "rollcall-evidence-v1", &ledger),
        statement::<Checkpoint>("checkpoint", "rollcall-checkpoint-v1", &ledger),
        statement::<Wanted>("wanted", "rollcall-wanted-v1", &answers),
        statement::<TimeAnswer>("time_answer", "rollcall-time-v1", &answers),
        target("batch", 8, [corpus::batches(), broken].concat(), |input| {
            let Ok(batch) = Batch::decode(input) else { return Ok(false) };
            let back = Batch::decode(&batch.encode());
            if back == Ok(batch.clone()) { Ok(true) } else { Err(format!("{batch:?}")) }
        }),
        ingest(),
        link(answers),
        target("parcel", 4, corpus::parcels().iter().map(Parcel::encode).collect(), |input| {
            let Ok(parcel) = Parcel::decode(input) else { return Ok(false) };
            let back = Parcel::decode(&parcel.encode());
            if back == Ok(parcel.clone()) { Ok(true) } else { Err(format!("{parcel:?}")) }
        }),
    ];
    let reports = vectors("platforms.json", "sealed");
    all.push(statement::<Report>("platform_report", "rollcall-report-v1", &reports));
    all.push(statement::<ReportTaken>("report_taken", "rollcall-report-taken-v1", &reports));
    all.extend(enrolment());
    all.extend(crate::dispatch::all());
    all.extend(crate::share::all());
    all.extend(notes(&day));
    all.extend(papers(&day));
    all.extend(backups(&day));
    all.push(journal());
    all.push(tables());
    all.extend(files());
    all
}

/// Batches from the broker: nothing is admitted but what the terminal's key has sealed.
fn ingest() -> Target {
    let terminal: TerminalId = "t-1".parse().expect("a name");
    let fact = Pen::new("t-1", 1).registration();
    let (past, genuine) = (Memory::default(), corpus::sealed_by_the_terminal());
    target("ingest", 2, corpus::batches(), move |input| {
        let Ok(batch) = Batch::decode(input) else { return Ok(false) };
        let mut intake = Intake::new(Limits::default());
        intake.learn(&fact);
        for parcel in batch.0 {
            for step in intake.offer(&terminal, parcel, &past).expect("memory does not fail") {
                match step {
                    Step::Commit(admitted) => {
                        let sealed = admitted.sealed().bytes();
                        if !genuine.iter().any(|genuine| genuine == sealed) {
                            return Err("a record was admitted that nobody sealed".into());
                        }
                    }
                    Step::Keep { .. } | Step::Again(_) | Step::Want { .. } | Step::Count { .. } => {
                    }
                }
            }
        }
        Ok(true)
    })
}

/// Answers from the broker: a terminal frees nothing on what the centre has not signed.
fn link(answers: Vec<Vec<u8>>) -> Target {
    let genuine = answers.clone();
    target("answer_to_a_terminal", 2, answers, move |input| {
        let standing = Standing { kept_from: 1, released: 0, appended: 9, waiting: 9 };
        let key = centre().verifying_key();
        let terminal = "t-1".parse().expect("a name");
        let mut link = Link::new(terminal, key, Pace::default(), standing, []);
        link.step(Event::Plug, 0);
        link.step(Event::Connected { nonce: [0x99; 16] }, 1);
        let actions = link.step(Event::Answer(input.to_vec()), 2);
        let frees = actions.iter().any(|action| matches!(action, Action::Release(_)));
        if frees && !genuine.iter().any(|answer| answer == input) {
            return Err("a record would be freed by an answer that nobody signed".into());
        }
        Ok(frees)
    })
}

/// How terminals come in: nothing is believed that the token, the keys and the centre have not signed.
fn enrolment() -> Vec<Target> {
    let tokens = corpus::tokens();
    let genuine: Vec<Token> = tokens.iter().map(|token| parsed(token)).collect();
    let centre = genuine[0].centre;
    let (request, answer) = (corpus::request(&genuine[0]), corpus::answer(&genuine[0]));
    let (asked, token_key) = (request.clone(), genuine[0].key().verifying_key());
    let terminal = genuine[0].terminal.clone();
    let (sent, answered) = (request.clone(), answer.clone());
    vec![
        target("token", 8, tokens, move |input| {
            let Some(Ok(read)) = text(input).map(str::parse::<Token>) else { return Ok(false) };
            if read.to_string().parse() == Ok(read.clone()) {
                return Ok(genuine.contains(&read));
            }
            Err(format!("{read:?} was read from another form"))
        }),
        target("enrolment_request", 2, vec![request], move |input| {
            // Whoever it claims to be is told apart before anything is believed.
            peek_request(input).ok();
            let held = open_enrolment(input, &token_key, &[centre]);
            if held.is_ok() && input != sent {
                return Err("a request was believed that nobody made".into());
            }
            Ok(held.is_ok())
        }),
        target("enrolment_answer", 4, vec![answer], move |input| {
            let opened = Answer::open(input, &asked, &terminal, Expected::Mark(centre));
            if opened.is_ok() && input != answered {
                return Err("an answer was believed that no centre gave".into());
            }
            Ok(opened.is_ok())
        }),
    ]
}

fn parsed(token: &[u8]) -> Token {
    text(token).expect("tokens are text").parse().expect("it is right")
}

fn notes(day: &Day) -> Vec<Target> {
    let note = day.note();
    let head = note.text().to_owned().into_bytes();
    let lines = note.lines().iter().map(|line| line.to_string().into_bytes()).collect();
    let log: Vkey = text(&corpus::vkeys()[0]).expect("text").parse().expect("a key");
    vec![
        target("note", 8, vec![note.to_string().into_bytes()], move |input| {
            let Ok(read) = Note::from_bytes(input) else { return Ok(false) };
            let signed = matches!(read.word_of(&log), Word::Signed { .. });
            if signed && read.text() != note.text() {
                return Err("the log's signature holds over another text".into());
            }
            again(read.to_string().as_bytes(), input, &read)
        }),
        target("checkpoint_text", 8, vec![head], |input| {
            let Some(Ok(read)) = text(input).map(str::parse::<TreeHead>) else { return Ok(false) };
            again(read.to_string().as_bytes(), input, &read)
        }),
        target("signature_lines", 8, lines, |input| {
            let Some(Ok(read)) = text(input).map(parse_lines) else { return Ok(false) };
            let written: String = read.iter().map(ToString::to_string).collect();
            again(written.as_bytes(), input, &read)
        }),
        target("note_key", 4, corpus::vkeys(), |input| {
            let Some(Ok(read)) = text(input).map(str::parse::<Vkey>) else { return Ok(false) };
            again(read.to_string().as_bytes(), input, &read)
        }),
        target("witness_request", 8, corpus::requests(day), |input| {
            Ok(Request::parse(input).is_ok())
        }),
    ]
}

fn papers(day: &Day) -> Vec<Target> {
    let trust = Trust::parse(&corpus::trust()).expect("it is right");
    let (trusted, of_codes) = (trust.clone(), trust.clone());
    let genuine: Vec<Proof> = day
        .proofs()
        .iter()
        .map(|proof| serde_json::from_slice(proof).expect("it is right"))
        .collect();
    let codes: Vec<Code> =
        genuine.iter().map(|proof| Code::of(proof).expect("it is short")).collect();
    let texts = codes.iter().map(|code| code.to_string().into_bytes()).collect();
    vec![
        target("proof_as_qr_code", 2, texts, move |input| {
            let Some(Ok(read)) = text(input).map(str::parse::<Code>) else { return Ok(false) };
            let holds = check_code(&read, &of_codes).is_ok();
            let known = |code: &Code| (code.index, &code.record) == (read.index, &read.record);
            if holds && !codes.iter().any(known) {
                return Err("a proof holds that nobody made".into());
            }
            Ok(holds)
        }),
        target("slip", 8, corpus::slips(), |input| {
            let Some(Ok(read)) = text(input).map(str::parse::<SlipText>) else { return Ok(false) };
            let slip: Result<Slip, _> = read.peek();
            Ok(slip.is_ok())
        }),
        target("proof", 2, day.proofs(), move |input| {
            let Ok(proof) = serde_json::from_slice::<Proof>(input) else { return Ok(false) };
            let holds = check_proof(&proof, &trust).is_ok();
            let known = |genuine: &Proof| {
                (&proof.record, &proof.registration) == (&genuine.record, &genuine.registration)
            };
            if holds && !genuine.iter().any(known) {
                return Err("a proof holds that nobody made".into());
            }
            Ok(holds)
        }),
        target("bundle", 1, day.bundles(), move |input| {
            let Ok(bundle) = serde_json::from_slice::<Bundle>(input) else { return Ok(false) };
            Ok(check_bundle(&bundle, &trusted).hold())
        }),
        target("trusted_keys", 8, vec![corpus::trust().into_bytes()], |input| {
            Ok(text(input).is_some_and(|text| Trust::parse(text).is_ok()))
        }),
        target(
            "tile_of_entries",
            4,
            vec![[0, 32].repeat(700), [&[0, 32], &[7; 32][..]].concat()],
            |input| Ok(entries_in(input).is_some()),
        ),
    ]
}

/// Tables of facts, in every encoding, as every kind of them: what is read is written and read again.
fn tables() -> Target {
    let mut tables = target("table_of_facts", 2, corpus::tables(), |input| {
        let Ok(grid) = sheet::from_bytes(input) else { return Ok(false) };
        for kind in Kind::ALL {
            if let Err(problems) = sheet::parse(kind, &grid) {
                assert!(!problems.all.is_empty(), "it is refused for a reason");
            }
        }
        sheet::terminals(&grid, |_| None).ok();
        let rows = || grid.rows.iter().map(|(_, cells)| cells);
        if rows().any(|cells| cells.len() != grid.header.len()) {
            return Ok(true);
        }
        let all: Vec<_> = [&grid.header].into_iter().chain(rows()).cloned().collect();
        match sheet::from_bytes(&sheet::write(&all)) {
            Ok(back)
                if back.header == grid.header && back.rows.iter().map(|it| &it.1).eq(rows()) =>
            {
                Ok(true)
            }
            back => Err(format!("{grid:?} was written and read as {back:?}")),
        }
    });
    // A mistake costs its sentence; how many of them are kept is bounded.
    tables.bytes_for_each = 512;
    tables
}

/// Backups: none holds but the one that was sealed. Its lines are also read one by one, for in a whole
/// file the first that does not hold is the last that is read.
fn backups(day: &Day) -> Vec<Target> {
    let genuine = day.backup();
    let lines: Vec<Vec<u8>> =
        genuine.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    // All but the seal is under the seal; around that, JSON allows spaces.
    let sealed = genuine.len() - lines.last().map_or(0, Vec::len);
    let (text, entries) = (genuine.clone(), lines[1..lines.len() - 1].to_vec());
    vec![
        target("backup", 1, vec![genuine], move |input| {
            let key = centre().verifying_key();
            let Ok(_) = check_backup(input, Path::new("memory"), key) else { return Ok(false) };
            if input.get(..sealed) != Some(&text[..sealed]) {
                return Err("a backup holds that nobody sealed".into());
            }
            Ok(true)
        }),
        target("entry_of_a_backup", 4, entries, |input| {
            let read = |line: &[u8]| serde_json::from_slice::<Line>(line).ok()?.stored();
            let Some(stored) = read(input) else { return Ok(false) };
            if read(json(&Line::of(stored.clone())).as_bytes()).as_ref() != Some(&stored) {
                return Err(format!("{stored:?} is not read as it is written"));
            }
            Ok(Staged::restored(vec![stored]).is_ok())
        }),
    ]
}

/// A journal's files, both copies touched in the same way: whatever is opened can be read.
fn journal() -> Target {
    use crate::files::{filled, open};
    let (names, bytes) = filled();
    let mut journal = target("journal_segment", 1, bytes, move |input| {
        let mut folder: BTreeMap<String, Vec<u8>> = names.clone();
        let last = folder.keys().last().expect("it has a file").clone();
        folder.insert(last, input.to_vec());
        let Ok(journal) = open([folder.clone(), folder]) else { return Ok(false) };
        let standing = journal.standing();
        let replayed = journal.replay(1, 1_000).map_err(|error| error.to_string())?;
        let waiting = replayed.iter().filter(|(seq, _)| *seq > standing.released).count();
        Ok(waiting > 0)
    });
    journal.bytes_for_each = 64;
    journal
}

/// Files that a person writes.
fn files() -> Vec<Target> {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware-config").join(name);
        std::fs::read(path).expect("it is committed")
    };
    let mut files = vec![
        target("journal_export", 1, vec![export()], |input| {
            Ok(Carried::parse(input, Path::new("it"), None).is_ok())
        }),
        target("file_of_facts", 1, vec![FACTS.as_bytes().to_vec()], |input| {
            Ok(text(input).is_some_and(|text| facts::parse(text).is_ok()))
        }),
        target("policy_profile", 1, vec![read("policies/sichuan-2025.toml")], |input| {
            Ok(text(input).is_some_and(|text| Policy::parse(text, "it").is_ok()))
        }),
    ];
    // A parser of TOML keeps a tree with spans; the files are bounded before it sees them.
    files.iter_mut().for_each(|target| target.bytes_for_each = 512);
    files
}

/// A journal's records as people carry them.
fn export() -> Vec<u8> {
    let mut pen = Pen::new("t-1", 1);
    let records = pen.write_many(3).into_iter().zip(1..).map(|(parcel, seq)| {
        let person = parcel.person.map(|opening| {
            let (salt, person) = (BASE64.encode(&opening.salt), HEXLOWER.encode(&opening.person.0));
            serde_json::json!({ "salt": salt, "person": person })
        });
        let sealed = BASE64.encode(parcel.sealed.bytes());
        serde_json::json!({ "seq": seq, "state": "waiting", "sealed": sealed, "person": person })
    });
    let records: Vec<_> = records.collect();
    let format = "rollcall-journal-v1";
    let export =
        serde_json::json!({ "format": format, "terminal": "t-1", "key": null, "records": records });
    export.to_string().into_bytes()
}

const FACTS: &str = r#"
[[institution]]
id = "huaxin"
name = { zh = "华新职业培训学校", en = "Huaxin Vocational School" }

[[site]]
id = "huaxin-1"
institution = "huaxin"
name = { zh = "一号教学点", en = "Site 1" }
town = { zh = "绵阳", en = "Mianyang" }
place = { latitude_e6 = 31467500, longitude_e6 = 104679600 }

[[class]]
id = "cook-2026a"
institution = "huaxin"
name = { zh = "中式烹调一班", en = "Chinese cooking, class 1" }
persons = 12
roster = "abababababababababababababababababababababababababababababababab"

[[lesson]]
id = "cook-2026a-0302-1"
class = "cook-2026a"
site = "huaxin-1"
starts = "2026-03-02 08:30"
ends = "2026-03-02 11:30"
"#;
