//! Plays scripted check-ins on one terminal, for tests that need a process of their own to kill:
//! at a named step it aborts, as a power cut would end it, and on a full disk it shows what a
//! terminal shows. Never part of a shipped build.
//!
//! Every green is a line `green SEQ HASH` on standard output, written after `take` has returned.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use clap::Parser;
use rollcall::cli::report::{Exit, Report};
use rollcall::domain::{CheckIn, Event, Outcome, PersonId, TerminalId, Way};
use rollcall::journal::{Bounds, InitError, Journal};
use rollcall::platform::clock::SystemClock;
use rollcall::platform::telemetry::Class;
use rollcall::record::{SigningKey, VerifyingKey};
use rollcall::terminal::{Setup, Terminal};
use rollcall::uplink::{self, Pace, Step, Waypoints};

#[derive(Parser)]
struct Arguments {
    /// Folder of the journal; made when it is missing.
    #[arg(long)]
    dir: PathBuf,
    /// Name of the terminal.
    #[arg(long)]
    terminal: TerminalId,
    /// 64 hexadecimal digits. A test key: on a command line it is no secret.
    #[arg(long)]
    secret: String,
    /// Verifies the centre's answers.
    #[arg(long)]
    receipt_key: VerifyingKey,
    /// The broker's port on this machine.
    #[arg(long)]
    broker_port: u16,
    /// How many check-ins to play.
    #[arg(long)]
    records: u64,
    /// Abort when this step is reached …
    #[arg(long)]
    abort_at: Option<String>,
    /// … for the so-manieth time.
    #[arg(long, default_value_t = 1)]
    nth: u32,
    /// Do not wait for receipts at the end.
    #[arg(long)]
    leave: bool,
}

struct Tripwire {
    step: Option<String>,
    left: AtomicU32,
}

impl Waypoints for Tripwire {
    fn reached(&self, step: Step) {
        let mine = self.step.as_deref() == Some(step.as_str());
        if mine && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().expect("a test machine can start threads");
    let outcome = runtime.block_on(play(arguments));
    // No destructors: after a failed disk they could hang or hide what a real end looks like.
    std::process::exit(match outcome {
        Ok(()) => 0,
        Err((report, exit)) => {
            eprintln!("rollcall terminal: {report}");
            i32::from(exit.code())
        }
    })
}

async fn play(arguments: Arguments) -> Result<(), (Report, Exit)> {
    let usage = |error: &dyn std::error::Error| (Report::of(error, "mend the test"), Exit::Usage);
    let mut secret = [0; 32];
    data_encoding::HEXLOWER
        .decode_mut(arguments.secret.as_bytes(), &mut secret)
        .map_err(|partial| usage(&partial.error))?;
    let key = SigningKey::from_secret(&secret);
    match Journal::init(&arguments.dir, &arguments.terminal, key.verifying_key().id()) {
        Ok(()) | Err(InitError::Exists { .. }) => {}
        Err(error @ InitError::Storage { .. }) => return Err(usage(&error)),
    }
    let tripwire =
        Arc::new(Tripwire { step: arguments.abort_at, left: AtomicU32::new(arguments.nth) });
    let setup = Setup {
        terminal: arguments.terminal,
        key,
        journal_dir: arguments.dir,
        bounds: Bounds::default(),
        uplink: uplink::Config {
            tls: None,
            broker_host: "127.0.0.1".into(),
            broker_port: arguments.broker_port,
            receipt_key: arguments.receipt_key,
            clock_tolerance_ms: 60_000,
            pace: Pace { retry_ms_min: 20, answer_ms_min: 300, ..Pace::default() },
            firmware: "testbed".into(),
        },
        policy: "test@1".into(),
        pack: None,
        plugged: true,
        clock: Arc::new(SystemClock::start()),
        waypoints: tripwire.clone(),
    };
    let terminal = Terminal::start(setup)
        .map_err(|error| (Report::of(&error, error.hint()), Exit::Environment))?;
    let mut person = [0; 16];
    for n in 0..arguments.records {
        person[..8].copy_from_slice(&n.to_be_bytes());
        let checkin = CheckIn {
            staff: None,
            event: Event::CheckIn,
            outcome: Outcome::Accepted,
            lesson: None,
            person: Some(PersonId(person)),
            way: Some(Way::Open),
            scores: None,
            other: None,
            same_face: None,
        };
        let taken = terminal.take(&checkin).map_err(|error| {
            let exit = match error.class() {
                Class::FailStop => Exit::FailStop,
                Class::Transient | Class::Permanent => Exit::Environment,
            };
            (Report::of(&error, "make room on the disk; nothing that was green is lost"), exit)
        })?;
        println!("green {} {}", taken.seq, taken.hash);
        tripwire.reached(Step::Shown);
    }
    if !arguments.leave {
        terminal.drained().await;
        println!("drained");
        // The last release is announced before its step is reached: let the uplink get there.
        terminal
            .shut_down()
            .await
            .map_err(|error| (Report::of(&error, "see the journal's disk"), Exit::FailStop))?;
    }
    Ok(())
}
