//! The command line: one program, its roles as subcommands. Exit codes are a contract: 0 fine,
//! 1 looked and found something wrong, 2 bad usage or configuration, 3 environment, 4 fail-stop.

/// Prints a line, as `println!` does, and goes on when nobody reads any more: `rollcall … | head`
/// has seen enough. What cannot be written for another reason is told.
macro_rules! say {
    ($($line:tt)*) => {
        $crate::cli::print_line(format_args!($($line)*))
    };
}

pub mod report;

#[cfg(feature = "demo")]
mod demo;
#[cfg(feature = "terminal")]
mod enrol;
#[cfg(feature = "terminal")]
mod journal;
#[cfg(feature = "terminal")]
mod terminal;
#[cfg(feature = "terminal")]
mod terminal_bench;
#[cfg(feature = "terminal")]
mod terminal_camera;
#[cfg(feature = "terminal")]
mod terminal_doctor;
#[cfg(feature = "terminal")]
mod terminal_enrol;
#[cfg(feature = "terminal")]
mod terminal_evidence;
#[cfg(feature = "terminal")]
mod terminal_run;
#[cfg(feature = "terminal")]
mod terminal_share;
#[cfg(feature = "terminal")]
mod terminal_staff;
#[cfg(feature = "terminal")]
mod terminal_take;
#[cfg(feature = "collector")]
mod backup;
#[cfg(feature = "collector")]
mod cases;
#[cfg(feature = "collector")]
mod cases_show;
#[cfg(feature = "collector")]
mod collector;
#[cfg(feature = "collector")]
mod collector_dispatch;
#[cfg(feature = "collector")]
mod collector_home;
#[cfg(feature = "collector")]
mod collector_ca;
#[cfg(feature = "collector")]
mod collector_evidence;
#[cfg(feature = "collector")]
mod collector_hours;
#[cfg(feature = "collector")]
mod collector_limits;
#[cfg(feature = "collector")]
mod collector_platform;
#[cfg(feature = "collector")]
mod collector_roll_call;
#[cfg(feature = "collector")]
mod collector_run;
#[cfg(feature = "collector")]
mod collector_share;
#[cfg(feature = "collector")]
mod collector_picture;
#[cfg(feature = "collector")]
mod collector_sheet;
#[cfg(feature = "collector")]
mod collector_terminal;
#[cfg(feature = "terminal")]
mod models;
#[cfg(feature = "collector")]
mod notifications;
mod policy;
#[cfg(feature = "collector")]
mod rules;
#[cfg(feature = "collector")]
mod rules_replay;
#[cfg(feature = "collector")]
mod rules_shadow;
#[cfg(feature = "collector")]
mod simulate;
#[cfg(feature = "collector")]
mod verify;
#[cfg(feature = "collector")]
mod witness;

use std::fmt;
use std::io::{ErrorKind, Write};
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
    #[cfg(feature = "demo")]
    Demo(demo::Demo),
    /// A classroom's kiosk: decides, seals, keeps, and brings records to the centre.
    #[cfg(feature = "terminal")]
    Terminal(terminal::Args),
    /// The centre: takes records in, keeps the ledger, gives receipts.
    #[cfg(feature = "collector")]
    Collector(collector::Args),
    #[cfg(feature = "terminal")]
    Models(models::Models),
    Policy(policy::Args),
    #[cfg(feature = "collector")]
    Cases(cases::Args),
    #[cfg(feature = "collector")]
    Notifications(notifications::Args),
    #[cfg(feature = "collector")]
    Rules(rules::Args),
    #[cfg(feature = "collector")]
    Simulate(simulate::Simulate),
    /// Checks exported bundles with nothing but the files and trusted keys.
    #[cfg(feature = "collector")]
    Verify(verify::Args),
    /// Whoever supervises a centre: cosigns the checkpoints of its log.
    #[cfg(feature = "collector")]
    Witness(witness::Args),
}

impl Cli {
    /// Runs the chosen role to its end.
    pub fn run(self) -> ExitCode {
        match self.command {
            #[cfg(feature = "demo")]
            Command::Demo(demo) => demo.run(),
            #[cfg(feature = "terminal")]
            Command::Terminal(args) => args.run(),
            #[cfg(feature = "collector")]
            Command::Collector(args) => args.run(),
            #[cfg(feature = "terminal")]
            Command::Models(models) => models.run(),
            Command::Policy(args) => args.run(),
            #[cfg(feature = "collector")]
            Command::Cases(args) => args.run(),
            #[cfg(feature = "collector")]
            Command::Notifications(args) => args.run(),
            #[cfg(feature = "collector")]
            Command::Rules(args) => args.run(),
            #[cfg(feature = "collector")]
            Command::Simulate(simulate) => simulate.run(),
            #[cfg(feature = "collector")]
            Command::Verify(args) => args.run(),
            #[cfg(feature = "collector")]
            Command::Witness(args) => args.run(),
        }
    }
}

/// What [`say!`] does.
fn print_line(line: fmt::Arguments<'_>) {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("rollcall: could not write to standard output: {error}");
        }
        Ok(()) | Err(_) => {}
    }
}
