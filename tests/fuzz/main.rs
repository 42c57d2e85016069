//! Hostile input: whatever comes from outside, touched at random, for each reader of ours.
//!
//! A target takes genuine bytes (the vectors, and what this program itself writes), touches them some
//! times, and reads them. For every input it holds that nothing panics, that no more memory is taken
//! than a multiple of the input's length, and what the target says besides: mostly that whatever is
//! read is written again as the very same bytes. A failing input is made as small as it can be and
//! printed.
//!
//! `cargo test --features testing --test fuzz` runs a share of each target;
//! `ROLLCALL_FUZZ=10000000 cargo test --features testing --test fuzz` so many inputs in all.

// Says to clippy that these are tests: they may unwrap.
#![cfg(test)]

mod corpus;
mod dispatch;
#[path = "../it/support/disk.rs"]
#[expect(dead_code, reason = "shared with the tests in tests/it, which use all of it")]
mod disk;
mod files;
#[path = "../it/support/pen.rs"]
mod pen;
mod share;
mod targets;
mod touch;

use std::process::ExitCode;

use peak_alloc::PeakAlloc;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use rollcall::platform::clock::Stopwatch;

use self::targets::{Target, all};
use self::touch::{Input, touched};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Inputs of a run in `./test`, over all targets.
const INPUTS: usize = 100_000;

/// Memory that reading may take beside a multiple of the input's length.
const FIXED_BYTES_MAX: usize = 64 * 1024;

fn main() -> ExitCode {
    let inputs = std::env::var("ROLLCALL_FUZZ").map_or(Ok(INPUTS), |inputs| inputs.parse());
    let Ok(inputs) = inputs else {
        eprintln!("ROLLCALL_FUZZ is the number of inputs, as in 10000000");
        return ExitCode::FAILURE;
    };
    let targets = all();
    let shares: usize = targets.iter().map(|target| target.share).sum();
    println!("running {} tests", targets.len());
    let (mut passed, mut failed, mut ran) = (0, 0, 0);
    for target in targets {
        let inputs = (inputs * target.share).div_ceil(shares);
        ran += inputs;
        match run(&target, inputs) {
            Ok(told) => {
                passed += 1;
                println!("test {} ... ok ({told})", target.name);
            }
            Err(why) => {
                failed += 1;
                println!("test {} ... FAILED\n{why}", target.name);
            }
        }
    }
    println!("{ran} inputs");
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {result}. {passed} passed; {failed} failed; 0 ignored");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one target; says how much was read, or the smallest input that fails.
fn run(target: &Target, inputs: usize) -> Result<String, String> {
    let config = Config {
        cases: u32::try_from(inputs).map_err(|error| error.to_string())?,
        failure_persistence: None,
        ..Config::default()
    };
    // The same inputs in each run: what fails here fails everywhere.
    let chance = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, chance);
    let watch = Stopwatch::start();
    let (read, largest) = (std::cell::Cell::new(0_u64), std::cell::Cell::new(0_usize));
    let ran = runner.run(&touched(&target.corpus), |Input(input)| {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let held = (target.check)(&input);
        let taken = MEMORY.peak_usage().saturating_sub(before);
        largest.set(largest.get().max(taken));
        let allowed = target.bytes_for_each * input.len() + FIXED_BYTES_MAX;
        if taken > allowed {
            let why = format!("{taken} bytes of memory for {} bytes of input", input.len());
            return Err(TestCaseError::fail(why));
        }
        match held {
            Ok(true) => read.set(read.get() + 1),
            Ok(false) => {}
            Err(why) => return Err(TestCaseError::fail(why)),
        }
        Ok(())
    });
    ran.map_err(|error| error.to_string())?;
    let seconds = watch.elapsed().as_secs_f64();
    let kilobytes = largest.get().div_ceil(1024);
    Ok(format!("{inputs} inputs, {} read, at most {kilobytes} KiB, {seconds:.1} s", read.get()))
}
