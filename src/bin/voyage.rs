//! Sails voyages: `rollcall-voyage COUNT [FIRST]` many, `rollcall-voyage --seed N` one, with its
//! trace. `./test voyage` builds and runs it. Never part of a shipped build.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clap::Parser;
use rollcall::platform::clock::Stopwatch;
use rollcall::simulate::{Mutant, Voyage, sail};

#[derive(Parser)]
struct Arguments {
    /// How many voyages.
    #[arg(default_value_t = 300)]
    count: u64,
    /// The first seed.
    #[arg(default_value_t = 1)]
    first: u64,
    /// Sail this one, and print all that happens.
    #[arg(long)]
    seed: Option<u64>,
    /// Break a promise on purpose.
    #[arg(long)]
    mutant: Option<String>,
    /// Do not stop at the first that ends badly: name them all.
    #[arg(long)]
    keep_going: bool,
    /// Threads; as many as the machine has cores if it is not said.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mutant = match arguments.mutant.as_deref().map(named) {
        Some(None) => {
            let names: Vec<_> = Mutant::ALL.iter().map(|mutant| mutant.as_str()).collect();
            say(&format!("no such mutant; there are {}", names.join(", ")));
            return ExitCode::from(2);
        }
        Some(Some(mutant)) => Some(mutant),
        None => None,
    };
    match arguments.seed {
        Some(seed) => {
            let voyage = sail(seed, mutant);
            say(voyage.trace.trim_end());
            conclude(seed, &voyage)
        }
        None => many(&arguments, mutant),
    }
}

fn named(name: &str) -> Option<Mutant> {
    Mutant::ALL.into_iter().find(|mutant| mutant.as_str() == name)
}

/// Sails until the first that ends badly, and then says how to see it again.
fn many(arguments: &Arguments, mutant: Option<Mutant>) -> ExitCode {
    let started = Stopwatch::start();
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = arguments.threads.unwrap_or_else(cores);
    let end = arguments.first.saturating_add(arguments.count);
    let (next, stop) = (AtomicU64::new(arguments.first), AtomicBool::new(false));
    let (greens, entries) = (AtomicU64::new(0), AtomicU64::new(0));
    let named = AtomicU64::new(0);
    let work = || {
        let mut bad: Option<(u64, Voyage)> = None;
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                break;
            }
            let voyage = sail(seed, mutant);
            greens.fetch_add(voyage.greens, Ordering::Relaxed);
            entries.fetch_add(voyage.entries, Ordering::Relaxed);
            if let (true, Err(broken)) = (arguments.keep_going, &voyage.outcome) {
                named.fetch_add(1, Ordering::Relaxed);
                say(&format!("seed {seed}: {broken}"));
            } else if voyage.outcome.is_err() {
                stop.store(true, Ordering::Relaxed);
                bad = Some((seed, voyage));
            }
        }
        bad
    };
    let bad = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = handles.into_iter().map(|handle| handle.join().expect("no voyage panics"));
        ended.flatten().min_by_key(|(seed, _)| *seed)
    });
    match bad {
        Some((seed, voyage)) => {
            let lines: Vec<_> = voyage.trace.lines().collect();
            say(&lines[lines.len().saturating_sub(40)..].join("\n"));
            conclude(seed, &voyage)
        }
        None => {
            let named = named.into_inner();
            say(&format!(
                "{} voyages, {named} of them broke a promise, {} check-ins shown green, {} entries in the ledgers, {} s",
                arguments.count,
                greens.into_inner(),
                entries.into_inner(),
                started.elapsed().as_secs()
            ));
            ExitCode::from(u8::from(named > 0))
        }
    }
}

fn conclude(seed: u64, voyage: &Voyage) -> ExitCode {
    match &voyage.outcome {
        Ok(()) => {
            say(&format!("seed {seed}: every promise was kept, trace {}", voyage.trace_hash()));
            ExitCode::SUCCESS
        }
        Err(broken) => {
            say(&format!("seed {seed}: {broken}\nreplay: ./test voyage --seed {seed}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    // Nobody listens: nothing to say.
    drop(writeln!(io::stdout(), "{text}"));
}
