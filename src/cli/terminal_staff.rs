//! `rollcall terminal staff …`: who may enrol, confirm and call the roll at this kiosk.

use std::io::{BufRead, Write};

use clap::{Args as ClapArgs, Subcommand};

use super::report::{Exit, Report, secret_failed};
use super::terminal::{ConfigArg, Told, exit_of, load};
use crate::checkin::pin::{Verifier, may_be_pin};
use crate::domain::PersonId;
use crate::platform::{chance, secret};
use crate::terminal::register::Member;
use crate::terminal::{Cabinet, CabinetError};

/// See [`Command`].
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lets somebody of the staff in, with a PIN that is read from standard input.
    Add {
        #[command(flatten)]
        config: ConfigArg,
        /// What she types at the kiosk, or what is on her card.
        #[arg(long)]
        number: String,
        /// Her name, as the kiosk greets her.
        #[arg(long)]
        name: String,
        /// Her person id at the centre, 32 hexadecimal digits; without it one is made.
        #[arg(long)]
        person: Option<PersonId>,
    },
    /// Shows who is let in.
    List {
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Lets somebody in no longer.
    Remove {
        #[command(flatten)]
        config: ConfigArg,
        /// What she typed at the kiosk.
        #[arg(long)]
        number: String,
    },
}

pub(super) fn run(args: &Args) -> Told {
    match &args.command {
        Command::Add { config, number, name, person } => {
            let mut cabinet = open(config)?;
            let what = "could not let somebody of the staff in";
            if number.is_empty() || number.len() > 40 || name.is_empty() || name.len() > 60 {
                let because = "number and name must be there, the number with at most 40 bytes, the \
                               name with at most 60";
                return Err((Exit::Usage, Report::new(what, because, "give shorter ones")));
            }
            if cabinet.register().member(number).is_some() {
                let because = format!("somebody has the number {number}");
                let hint = "remove her first: rollcall terminal staff remove";
                return Err((Exit::Usage, Report::new(what, because, hint)));
            }
            let person = person.unwrap_or_else(|| PersonId(chance::random_bytes()));
            let pin = read_pin()?;
            let pin = Verifier::new(&person, &pin, chance::random_bytes());
            let member = Member { number: number.clone(), name: name.clone(), pin };
            let kept = cabinet.change(|register| {
                register.staff.insert(person, member);
            });
            kept.map_err(|error| cabinet_failed(&error))?;
            say!("{name} may use the kiosk with the number {number}; her person id is {person}");
            Ok(())
        }
        Command::List { config } => {
            for (person, member) in &open(config)?.register().staff {
                say!("{}\t{}\t{person}", member.number, member.name);
            }
            Ok(())
        }
        Command::Remove { config, number } => {
            let mut cabinet = open(config)?;
            let Some((person, _)) = cabinet.register().member(number) else {
                let what = "could not remove anybody of the staff";
                let because = format!("nobody has the number {number}");
                let hint = "see who is let in: rollcall terminal staff list";
                return Err((Exit::Usage, Report::new(what, because, hint)));
            };
            let kept = cabinet.change(|register| {
                register.staff.remove(&person);
            });
            kept.map_err(|error| cabinet_failed(&error))?;
            say!("removed");
            Ok(())
        }
    }
}

fn open(arg: &ConfigArg) -> Told<Cabinet> {
    let config = load(arg)?;
    let key = secret::read(&config.face.gallery_key_file).map_err(|error| secret_failed(&error))?;
    let (register, gallery) = (config.face.register(), config.face.gallery_file);
    Cabinet::open(register, gallery, key)
        .map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))
}

fn cabinet_failed(error: &CabinetError) -> (Exit, Report) {
    let (class, hint) = match error {
        CabinetError::Register(error) => (error.class(), error.hint()),
        CabinetError::Gallery(error) => (error.class(), error.hint()),
    };
    (exit_of(class), Report::of(error, hint))
}

/// One line of standard input: no list of processes and no history of a shell shows it.
fn read_pin() -> Told<String> {
    let what = "could not read the PIN";
    write!(std::io::stderr(), "PIN, 4 to 8 digits: ").ok();
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|io| (Exit::Usage, Report::new(what, io.to_string(), "give it as one line")))?;
    let pin = line.trim();
    if may_be_pin(pin) {
        return Ok(pin.into());
    }
    let because = "it has not 4 to 8 digits, or they are all the same or in a row";
    Err((Exit::Usage, Report::new(what, because, "choose one that is not guessed at once")))
}
