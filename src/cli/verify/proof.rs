//! Slips and proofs: what trainees hold.

use super::{Report, exit_found};
use crate::cli::report::Exit;
use crate::domain::Outcome;
use crate::ledger::proof::{NotProven, Proven};
use crate::platform::telemetry::Chain;
use crate::record::SlipText;

/// What the files of one call show together.
#[derive(Default)]
pub(super) struct Shown {
    proven: Vec<Proven>,
    slips: Vec<(String, SlipText)>,
}

impl Shown {
    /// Takes a slip for later: a proof in another file may have its terminal's key.
    pub(super) fn slip(&mut self, file: String, text: &str) -> Result<(), Report> {
        let failed = |error: &dyn std::error::Error| {
            Report::new(format!("{file} is no slip"), Chain(error).to_string(), "scan it again")
        };
        let slip: SlipText = text.parse().map_err(|error| failed(&error))?;
        slip.peek().map_err(|error| failed(&error))?;
        self.slips.push((file, slip));
        Ok(())
    }

    /// Tells of a proof that was checked.
    pub(super) fn proof(&mut self, checked: Result<Proven, NotProven>) -> Exit {
        match checked {
            Ok(proven) => {
                let record = &proven.record;
                say!("证明 proof     : 成立 holds");
                say!(
                    "  {} 号终端第 {} 条记录 record {1} of terminal {0}",
                    record.terminal,
                    record.seq
                );
                let (_, zh, en) = record.event.words();
                let outcome = record.outcome.map(Outcome::words);
                let outcome = outcome.map_or(String::new(), |(_, zh, en)| format!(" · {zh} {en}"));
                say!("  {zh} {en}{outcome} · {} 北京时间 China standard time", record.clock.wall);
                say!(
                    "  日志 log {:?}: entry {} of {}, {} witnesses",
                    proven.head.origin,
                    proven.index,
                    proven.head.size,
                    proven.witnesses
                );
                if let Some(person) = &proven.person {
                    say!("  人员 person {person}");
                }
                self.proven.push(proven);
                Exit::Fine
            }
            Err(why) => {
                say!("证明 proof     : 不成立 does not hold");
                say!("  - {}", Chain(&why));
                Exit::Found
            }
        }
    }

    /// Tells of the slips, in the light of the proofs.
    pub(super) fn slips(self, mut exit: Exit) -> Exit {
        for (file, slip) in self.slips {
            say!("{file}");
            let Ok(said) = slip.peek() else { continue };
            let of_terminal = self.proven.iter().filter(|p| p.record.terminal == said.terminal);
            let mut answer = None;
            for proven in of_terminal {
                let sealed = slip.open(&proven.key).is_ok();
                let same = proven.record.seq == said.seq;
                answer = Some((sealed, same, proven.hash == said.hash));
                if same {
                    break;
                }
            }
            let (what, fine) = match answer {
                None => (
                    "未能核对 not checked: no proof of this terminal is among the files, so its key \
                     is not known",
                    false,
                ),
                Some((false, ..)) => {
                    ("不成立 does not hold: it is not sealed with the terminal's key", false)
                }
                Some((true, true, true)) => {
                    ("成立，已确认 holds, and is confirmed by the proof", true)
                }
                Some((true, true, false)) => (
                    "不一致 contradiction: the terminal promised another record of this number than \
                     the one in the log",
                    false,
                ),
                Some((true, false, _)) => ("成立，尚未确认 holds, not yet confirmed", true),
            };
            say!("凭条 slip      : {what}");
            say!("  record {} of terminal {}, {}", said.seq, said.terminal, said.hash);
            if !fine {
                exit = exit_found(exit);
            }
        }
        exit
    }
}
