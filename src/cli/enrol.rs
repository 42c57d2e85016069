//! `rollcall terminal init --token …` and `rollcall terminal renew`: the terminal's side of
//! enrolment.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::report::{Exit, Report, secret_failed};
use super::terminal::{Told, config_failed, exit_of};
use crate::platform::durable::{self, Access};
use crate::platform::secret;
use crate::record::enrolment::ANSWER_BYTES_MAX;
use crate::record::{SigningKey, TOKEN_CHARS_MAX, Token};
use crate::terminal::Config;
use crate::terminal::enrol::{EnrolError, Place, begin, read_dispatches, renew};
use crate::terminal::http::{PostError, post};
use crate::terminal::rotate::rotate;
use crate::uplink::Trust;

/// How a terminal is set up.
#[derive(Debug, ClapArgs)]
pub(super) struct InitArgs {
    /// The configuration file. With --token it is written; without, it must be there.
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// The one-time token that `rollcall collector terminal add` printed; `-` reads it from standard
    /// input, where no list of processes shows it.
    #[arg(long)]
    pub(super) token: Option<String>,
    /// Folder of keys, certificates and journal, with --token.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/rollcall", requires = "token")]
    data_dir: PathBuf,
    #[command(flatten)]
    by_hand: ByHand,
}

/// Another certificate.
#[derive(Debug, ClapArgs)]
pub(super) struct CertificateArgs {
    #[command(flatten)]
    renew: RenewArgs,
    /// Makes another key for TLS too, and lets the configuration name it.
    #[arg(long)]
    new_key: bool,
}

/// For what a terminal asks its centre.
#[derive(Debug, ClapArgs)]
pub(super) struct RenewArgs {
    /// The configuration file of the terminal.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    by_hand: ByHand,
}

/// Where no network leads to the centre's desk, files are carried.
#[derive(Debug, ClapArgs)]
struct ByHand {
    /// Writes the request into a file for `rollcall collector terminal admit`, and stops.
    #[arg(long, value_name = "FILE", conflicts_with = "answer")]
    request: Option<PathBuf>,
    /// Takes the answer from a file that `rollcall collector terminal admit` wrote.
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,
}

impl ByHand {
    /// The centre's answer, or nothing when the request was written for somebody to carry.
    fn answered(&self, url: &str, request: &[u8]) -> Told<Option<Vec<u8>>> {
        if let Some(path) = &self.request {
            durable::write(path, request, Access::Everyone).map_err(|error| {
                (Exit::Environment, Report::of(&error, "look at the folder and its free space"))
            })?;
            say!("# Wrote the request. At the centre: rollcall collector terminal admit");
            say!("# then here the same command with --answer FILE in place of --request FILE.");
            return Ok(None);
        }
        match &self.answer {
            Some(path) => read_answer(path).map(Some),
            None if url.is_empty() => {
                let because = "no address of the centre's desk is known";
                let hint = "carry the request by hand: --request FILE, then --answer FILE";
                Err((Exit::Usage, Report::new("could not ask the centre", because, hint)))
            }
            None => post(url, request).map(Some).map_err(|error| post_failed(&error)),
        }
    }
}

fn read_answer(path: &Path) -> Told<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let read = std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|io| {
        let what = format!("could not read the answer {}", path.display());
        (Exit::Usage, Report::new(what, io.to_string(), "look at its path and rights"))
    })?;
    Ok(bytes)
}

fn post_failed(error: &PostError) -> (Exit, Report) {
    match error {
        PostError::Reach { .. } => {
            let hint = "look at the network, and run the same command again with the same token";
            (Exit::Environment, Report::of(error, hint))
        }
        PostError::Refused { hint, later, .. } => {
            let exit = if *later { Exit::Environment } else { Exit::Found };
            (exit, Report::of(error, hint.clone()))
        }
    }
}

fn enrol_failed(error: &EnrolError) -> (Exit, Report) {
    if let EnrolError::Key(error) = error {
        return secret_failed(error);
    }
    (exit_of(error.class()), Report::of(error, error.hint()))
}

/// The token: from the command line, or from standard input.
fn token(given: &str) -> Told<Token> {
    let mut text = given.to_owned();
    if given == "-" {
        text.clear();
        let limit = u64::try_from(4 * TOKEN_CHARS_MAX).unwrap_or(u64::MAX);
        let read = std::io::stdin().lock().take(limit).read_to_string(&mut text);
        read.map_err(|io| {
            let what = "could not read the token from standard input";
            (Exit::Usage, Report::new(what, io.to_string(), "give it as one line"))
        })?;
    }
    text.parse()
        .map_err(|error: crate::record::TokenError| (Exit::Usage, Report::of(&error, error.hint())))
}

pub(super) fn init(args: &InitArgs, given: &str) -> Told {
    let token = token(given)?;
    let place = Place { config: args.config.clone(), data_dir: args.data_dir.clone() };
    let begun = begin(place, &token).map_err(|error| enrol_failed(&error))?;
    let Some(answer) = args.by_hand.answered(&token.url, &begun.request)? else { return Ok(()) };
    let welcome = begun.finish(&answer).map_err(|error| enrol_failed(&error))?;
    say!("# Enrolled terminal {} for site {}.", welcome.terminal, welcome.site);
    say!("# Its certificate lasts until {}, China standard time.", welcome.until);
    say!("# Wrote {}. Next: rollcall terminal run --config …", args.config.display());
    Ok(())
}

pub(super) fn rotated(args: &RenewArgs) -> Told {
    let config = Config::read(&args.config).map_err(|error| config_failed(&error))?;
    let rotation = rotate(&config).map_err(|error| enrol_failed(&error))?;
    let answer = args.by_hand.answered(&config.enrol_url, &rotation.request)?;
    let Some(answer) = answer else { return Ok(()) };
    let key = rotation.finish(&answer).map_err(|error| enrol_failed(&error))?;
    say!("# Records are sealed with key {key} from the next start on.");
    Ok(())
}

pub(super) fn renewed(CertificateArgs { renew: args, new_key }: &CertificateArgs) -> Told {
    let config = Config::read(&args.config).map_err(|error| config_failed(&error))?;
    let Some(files) = config.tls.clone() else {
        let because = "[uplink] names no certificate";
        let hint = "a terminal gets its first one by `rollcall terminal init --token`";
        return Err((Exit::Usage, Report::new("could not renew the certificate", because, hint)));
    };
    let record = secret::read(&config.key_file).map_err(|error| secret_failed(&error))?;
    let record = SigningKey::from_secret(&record);
    let trust = Trust::read(&config.journal_dir, config.uplink.receipt_key)
        .map_err(|error| enrol_failed(&error.into()))?;
    let switch = new_key.then(|| args.config.clone());
    let reading = read_dispatches(&config, &args.config).map_err(|error| enrol_failed(&error))?;
    let reading = Some(reading.public());
    let renewal = renew(&config.terminal, files, &trust.key(), &record, reading, switch)
        .map_err(|error| enrol_failed(&error))?;
    let answer = args.by_hand.answered(&config.enrol_url, &renewal.request)?;
    let Some(answer) = answer else { return Ok(()) };
    let welcome = renewal.finish(&answer).map_err(|error| enrol_failed(&error))?;
    say!("# The new certificate lasts until {}, China standard time.", welcome.until);
    say!("# A terminal that runs takes it at its next start.");
    Ok(())
}
