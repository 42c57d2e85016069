//! The command line: one program, its roles as subcommands. Exit codes are a contract: 0 fine,
//! 1 looked and found something wrong, 2 bad usage or configuration, 3 environment, 4 fail-stop.

pub mod report;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[cfg(feature = "demo")]
mod demo;
#[cfg(feature = "terminal")]
mod models;

/// Attendance that nobody can forge, lose, backdate or deny.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "demo")]
    Demo(demo::Demo),
    #[cfg(feature = "terminal")]
    Models(models::Models),
}

impl Cli {
    /// Runs the chosen role to its end.
    pub fn run(self) -> ExitCode {
        match self.command {
            #[cfg(feature = "demo")]
            Command::Demo(demo) => demo.run(),
            #[cfg(feature = "terminal")]
            Command::Models(models) => models.run(),
        }
    }
}
