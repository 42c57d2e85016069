//! The program `rollcall`. The library does everything.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    rollcall::cli::Cli::parse().run()
}
