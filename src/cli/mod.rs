//! The command line: one program, its roles as subcommands. Exit codes are a contract: 0 fine,
//! 1 looked and found something wrong, 2 bad usage or configuration, 3 environment, 4 fail-stop.

pub mod report;
#[cfg(feature = "terminal")]
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Attendance that nobody can forge, lose, backdate or deny.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The edge daemon of a classroom.
    #[cfg(feature = "terminal")]
    Terminal(terminal::Arguments),
}

impl Cli {
    /// Runs the chosen role to its end.
    pub fn run(self) -> ExitCode {
        match self.command {
            #[cfg(feature = "terminal")]
            Command::Terminal(arguments) => arguments.run(),
        }
    }
}
