//! `rollcall verify`: an auditor or a trainee with nothing but files and trusted keys.

mod proof;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args as ClapArgs;

use self::proof::Shown;
use super::report::{Exit, Report};
use crate::ledger::bundle::{Bundle, Finding, Findings, Trust, check};
use crate::ledger::proof::{Code, FORMAT as PROOF_FORMAT, Proof, check as check_proof, check_code};
use crate::ledger::tree::TreeHash;

/// Largest bundle that is read into memory: about 400,000 entries.
const BUNDLE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Largest proof.
const PROOF_BYTES_MAX: usize = 1024 * 1024;

/// Largest file of trusted keys.
const TRUST_BYTES_MAX: u64 = 64 * 1024;

/// Wrong things that are named, of each kind. The rest is counted.
const NAMED_MAX: usize = 5;

/// Checks bundles that `rollcall collector export` wrote, proofs that `rollcall collector prove`
/// wrote, and slips of terminals. Ends with 0 when all holds, 1 when
/// something does not hold or is not trusted, 2 when a file cannot be read.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// File with the centre's keys (`log ed25519:…`), received by another way than the bundles.
    #[arg(long, value_name = "KEYFILE")]
    trust: PathBuf,
    /// The bundles, proofs and slips.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let trust = match read(&self.trust, TRUST_BYTES_MAX).and_then(|text| {
            Trust::parse(&text).map_err(|error| {
                Report::of(&error, "ask the centre for its `rollcall collector trust` lines")
            })
        }) {
            Ok(trust) => trust,
            Err(report) => return report.tell("verify", Exit::Usage),
        };
        let mut exit = Exit::Fine;
        let mut roots = HashMap::new();
        let mut shown = Shown::default();
        for file in &self.files {
            match paper(file) {
                Ok(Paper::Slip(text)) => {
                    if let Err(report) = shown.slip(file.display().to_string(), &text) {
                        report.tell("verify", Exit::Usage);
                        exit = Exit::Usage;
                    }
                }
                Ok(Paper::Proof(proof)) => {
                    say!("{}", file.display());
                    if shown.proof(check_proof(&proof, &trust)) != Exit::Fine {
                        exit = exit_found(exit);
                    }
                }
                Ok(Paper::Code(code)) => {
                    say!("{}", file.display());
                    if shown.proof(check_code(&code, &trust)) != Exit::Fine {
                        exit = exit_found(exit);
                    }
                }
                Ok(Paper::Bundle(bundle)) => {
                    let findings = check(&bundle, &trust);
                    say!("{}", file.display());
                    tell(&findings);
                    if let Some(checkpoint) = &findings.checkpoint {
                        let at = (checkpoint.origin.clone(), checkpoint.size);
                        if *roots.entry(at).or_insert(checkpoint.root) != checkpoint.root {
                            say!("  - 同一账本出现两段历史 two histories of one ledger");
                            exit = exit_found(exit);
                        }
                    }
                    if !findings.hold() {
                        exit = exit_found(exit);
                    }
                }
                Err(report) => {
                    report.tell("verify", Exit::Usage);
                    exit = Exit::Usage;
                }
            }
        }
        shown.slips(exit).into()
    }
}

/// What a file holds.
enum Paper {
    Bundle(Bundle),
    Proof(Box<Proof>),
    Code(Box<Code>),
    Slip(String),
}

/// Something is wrong; worse is told first.
fn exit_found(exit: Exit) -> Exit {
    if exit == Exit::Fine { Exit::Found } else { exit }
}

fn read(path: &Path, bytes_max: u64) -> Result<String, Report> {
    let what = || format!("could not read {}", path.display());
    let hint = "look at its path and rights";
    let bytes = fs::metadata(path).map_err(|e| Report::new(what(), e.to_string(), hint))?.len();
    if bytes > bytes_max {
        let because = format!("it has {bytes} bytes; {bytes_max} are allowed");
        return Err(Report::new(what(), because, "export one terminal at a time"));
    }
    fs::read_to_string(path).map_err(|error| Report::new(what(), error.to_string(), hint))
}

fn paper(path: &Path) -> Result<Paper, Report> {
    let text = read(path, BUNDLE_BYTES_MAX)?;
    if text.starts_with("ROLLCALL-SLIP:") {
        return Ok(Paper::Slip(text));
    }
    if text.starts_with("ROLLCALL-PROOF:") {
        let code = text.parse::<Code>().map_err(|error| {
            let what = format!("{} is no proof", path.display());
            Report::new(what, error.to_string(), "scan it again, or ask for the file")
        });
        return code.map(|code| Paper::Code(Box::new(code)));
    }
    // A proof is short, and says so in its first line.
    let start: String = text.chars().take(100).collect();
    if start.contains(PROOF_FORMAT) {
        if text.len() > PROOF_BYTES_MAX {
            let what = format!("could not read {}", path.display());
            let because = format!("it has {} bytes; {PROOF_BYTES_MAX} are allowed", text.len());
            return Err(Report::new(what, because, "ask for it again"));
        }
        let proof = serde_json::from_str(&text).map_err(|error| {
            let what = format!("{} is no proof", path.display());
            Report::new(
                what,
                error.to_string(),
                "ask for it again; docs/spec/proof-v1.md is its form",
            )
        });
        return proof.map(|proof| Paper::Proof(Box::new(proof)));
    }
    serde_json::from_str(&text).map(Paper::Bundle).map_err(|error| {
        let what = format!("{} is no bundle", path.display());
        Report::new(what, error.to_string(), "ask for it again; docs/spec/bundle-v2.md is its form")
    })
}

/// The three lines.
fn tell(findings: &Findings) {
    let named = format!("{} statements", findings.signatures.looked_at);
    line("签名", "signatures", &findings.signatures, &named);
    let ranges = findings.terminals.iter();
    let ranges: Vec<_> = ranges.map(|(t, (first, last))| format!("{t} {first}–{last}")).collect();
    let ranges = if ranges.is_empty() { "no records".to_owned() } else { ranges.join(", ") };
    line("链条", "chain", &findings.chain, &ranges);
    let ledger = match &findings.checkpoint {
        Some(checkpoint) => format!(
            "{} of {} entries of {:?} at {}, root {}",
            findings.ledger.looked_at,
            checkpoint.size,
            checkpoint.origin,
            checkpoint.at,
            TreeHash(checkpoint.root)
        ),
        None => "no trusted checkpoint".to_owned(),
    };
    line("账本", "ledger", &findings.ledger, &ledger);
    for finding in [&findings.signatures, &findings.chain, &findings.ledger] {
        for wrong in finding.wrong.iter().take(NAMED_MAX) {
            say!("  - {wrong}");
        }
        if let Some(more) = finding.wrong.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
            say!("  - … 另有 {more} 处 and {more} more");
        }
    }
}

fn line(zh: &str, en: &str, finding: &Finding, what: &str) {
    let holds = if finding.holds() { "成立 holds" } else { "不成立 does not hold" };
    say!("{zh} {en:<10}: {holds} ({what})");
}
