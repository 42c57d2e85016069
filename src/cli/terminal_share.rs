//! `rollcall terminal share …`: the key under which templates pass between an institution's terminals. A
//! person carries it from one to the next; the centre never has it.

use std::io::BufRead;
use std::path::Path;

use clap::{Args as ClapArgs, Subcommand};
use data_encoding::HEXLOWER;

use super::report::{Exit, Report, secret_failed};
use super::terminal::{ConfigArg, Told, exit_of, load};
use crate::platform::secret::{self, SecretError};
use crate::platform::{chance, qr};
use crate::terminal::enrol::name_share_key;
use crate::terminal::register_file;
use crate::terminal::share::{InstitutionKey, What};

/// See [`Command`].
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the institution key, once, at the first of the institution's terminals.
    Init(ConfigArg),
    /// Prints the key as a code, for the institution's other terminals. Whoever has it can read templates.
    Code(ConfigArg),
    /// Takes the key that another terminal of the institution printed.
    Join {
        #[command(flatten)]
        config: ConfigArg,
        /// The code; `-` reads it from standard input, so that no history of a shell keeps it.
        code: String,
    },
    /// Says which key there is and how many templates are shared.
    Status(ConfigArg),
}

pub(super) fn run(args: &Args) -> Told {
    match &args.command {
        Command::Init(arg) => {
            let config = load(arg)?;
            let key = match secret::read(&config.share_key()) {
                // An earlier try was cut off before the configuration named it.
                Ok(found) if config.share_key_file.is_none() => InstitutionKey::from_secret(found),
                Ok(_) | Err(_) => {
                    let key = InstitutionKey::from_secret(chance::random_bytes());
                    keep(&config.share_key(), &key)?;
                    key
                }
            };
            name(arg)?;
            say!("# Made the institution key {}; it is in use from the next start on.", mark(&key));
            say!("# At the other terminals of this institution, and nowhere else:");
            say!("# rollcall terminal share join --config FILE -");
            tell(&key);
            Ok(())
        }
        Command::Code(arg) => {
            let key = read(arg)?;
            say!(
                "# Whoever has this code can read this institution's templates: hand it over like a key."
            );
            tell(&key);
            Ok(())
        }
        Command::Join { config, code } => {
            let key = InstitutionKey::from_code(&code_of(code)?).map_err(|error| {
                let hint = "print it again at the other terminal: rollcall terminal share code";
                (Exit::Usage, Report::new("could not read the code", error.to_string(), hint))
            })?;
            let file = load(config)?.share_key();
            match secret::read(&file) {
                Ok(found) if found == key.secret() => {
                    name(config)?;
                    say!("nothing to do: this terminal has the key {} already", mark(&key));
                    return Ok(());
                }
                Ok(_) | Err(_) => keep(&file, &key)?,
            }
            name(config)?;
            say!("took the institution key {}; it is in use from the next start on", mark(&key));
            Ok(())
        }
        Command::Status(arg) => status(arg),
    }
}

/// From here on the configuration names it. A crash before leaves a key that the same command takes up.
fn name(arg: &ConfigArg) -> Told {
    let config = load(arg)?;
    let named = name_share_key(&config, &arg.config);
    named.map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))
}

/// A key is never replaced.
fn keep(file: &Path, key: &InstitutionKey) -> Told {
    secret::write_new(file, &key.secret()).map_err(|error| {
        if matches!(error, SecretError::Exists { .. }) {
            let hint = "is it this institution's? `rollcall terminal share status` names it; to exchange \
                        it, move the file away at every terminal first";
            return (Exit::Usage, Report::of(&error, hint));
        }
        secret_failed(&error)
    })
}

fn read(arg: &ConfigArg) -> Told<InstitutionKey> {
    let config = load(arg)?;
    Ok(InstitutionKey::from_secret(secret_in(&config.share_key())?))
}

/// The secret of an institution key.
pub(super) fn secret_in(file: &Path) -> Told<[u8; 32]> {
    secret::read(file).map_err(|error| {
        if matches!(error, SecretError::Missing { .. }) {
            let hint = "`rollcall terminal share init` makes it at the institution's first terminal, \
                        `rollcall terminal share join` brings it to the others";
            return (Exit::Environment, Report::of(&error, hint));
        }
        secret_failed(&error)
    })
}

fn tell(key: &InstitutionKey) {
    let code = key.code();
    say!("{code}");
    if let Some(drawn) = qr::on_console(&code) {
        say!("{drawn}");
    }
}

fn mark(key: &InstitutionKey) -> String {
    HEXLOWER.encode(&key.mark())
}

fn code_of(given: &str) -> Told<String> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|io| {
        let hint = "give it as one line";
        (Exit::Usage, Report::new("could not read the code", io.to_string(), hint))
    })?;
    Ok(line)
}

fn status(arg: &ConfigArg) -> Told {
    let config = load(arg)?;
    if config.share_key_file.is_none() {
        say!("templates stay on this terminal: [share] key_file is empty");
        return Ok(());
    }
    let key = read(arg)?;
    say!("institution key {} in {}", mark(&key), config.share_key().display());
    let secret =
        secret::read(&config.face.gallery_key_file).map_err(|error| secret_failed(&error))?;
    let register = register_file::load(&config.face.register(), &secret)
        .map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))?;
    match &register.share {
        Some(standing) => say!("exchanges with the terminals of {}", standing.have.institution),
        None => say!("has not exchanged anything yet"),
    }
    let known: Vec<_> = register.trainees.values().filter_map(|it| it.share.as_ref()).collect();
    let count =
        |is: &dyn Fn(&&&crate::terminal::share::Newest) -> bool| known.iter().filter(is).count();
    say!(
        "{} templates shared, {} changes not yet at the centre, {} refused as somebody else's face",
        count(&|known| known.what == What::Held),
        count(&|known| known.unsaid),
        count(&|known| known.what == What::Refused),
    );
    Ok(())
}
