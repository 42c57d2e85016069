//! `rollcall collector terminal …`: lets terminals in and turns them away.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use clap::Subcommand;

use super::collector::{ConfigArg, Told, home_failed, load, store};
use super::collector_ca;
use super::report::{Exit, Report};
use crate::collector::ca::certificate_in;
use crate::collector::enrol::{
    self, Desk, DeskError, Notes, NotesError, RevocationWish, Roll, RollError, Section, TokenNote,
    Told as TerminalsAreTold, acl,
};
use crate::collector::sheet::{self, TerminalRow};
use crate::collector::{Config, Home};
use crate::domain::{Fact, SiteId, TerminalId, Timestamp};
use crate::platform::chance::random_bytes;
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::durable::{self, Access};
use crate::platform::qr;
use crate::record::{CentreMark, SEALED_BYTES_MAX, Token, VerifyingKey};

/// How long a token can be used, in hours, unless somebody says otherwise: a day's way to the site.
const TTL_HOURS: u16 = 24;

/// Longest reason of a revocation, in bytes: it stands in a sealed fact.
const REASON_BYTES_MAX: usize = 200;

/// `rollcall collector terminal …`
#[derive(Debug, Subcommand)]
pub(super) enum TerminalCommand {
    /// Makes a one-time token with which a new terminal comes in, and draws it as a QR code.
    Add {
        #[command(flatten)]
        config: ConfigArg,
        /// The new terminal's name.
        #[arg(long)]
        id: TerminalId,
        /// Where it will stand.
        #[arg(long)]
        site: SiteId,
        #[command(flatten)]
        token: TokenArgs,
    },
    /// Makes a token for a device that comes in the place of another one, under a new name.
    Replace {
        #[command(flatten)]
        config: ConfigArg,
        /// The terminal that it replaces. Revoke it when its last records are in.
        #[arg(long, value_name = "ID")]
        old: TerminalId,
        /// The new terminal's name.
        #[arg(long)]
        id: TerminalId,
        #[command(flatten)]
        token: TokenArgs,
    },
    /// Lists terminals, tokens and revocations.
    List {
        #[command(flatten)]
        config: ConfigArg,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Makes a token for each terminal of a CSV file or, if one row is wrong, for none.
    Import {
        #[command(flatten)]
        config: ConfigArg,
        /// The file: UTF-8 or GB18030, with the columns `id 终端编号` and `site 教学点编号`.
        file: PathBuf,
        /// Where to write the tokens, as CSV: whoever reads it can come in as these terminals.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        token: TokenArgs,
    },
    /// Lets a terminal in no more. What it sent stays valid.
    Revoke {
        #[command(flatten)]
        config: ConfigArg,
        /// Which.
        #[arg(long)]
        id: TerminalId,
        /// Why, in words; the ledger keeps them.
        #[arg(long)]
        reason: String,
    },
    /// Writes what a terminal works by (lessons, rosters, names, statuses, policy) into a file for a
    /// terminal that no network reaches. Only that terminal can read it.
    Dispatch {
        #[command(flatten)]
        config: ConfigArg,
        /// For which.
        #[arg(long)]
        id: TerminalId,
        /// Where to write it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Answers a request that came as a file, while no collector runs.
    Admit {
        #[command(flatten)]
        config: ConfigArg,
        /// The request, as `rollcall terminal init --request` wrote it.
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        /// Where to write the answer.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// What is said of a token.
#[derive(Debug, clap::Args)]
pub(super) struct TokenArgs {
    /// How many hours it can be used.
    #[arg(long, default_value_t = TTL_HOURS, value_parser = clap::value_parser!(u16).range(1..=720))]
    ttl_hours: u16,
    /// Makes another one in place of a token that was not used.
    #[arg(long)]
    again: bool,
}

impl TerminalCommand {
    pub(super) fn run(&self) -> Told {
        match self {
            Self::Add { config, id, site, token } => add(&load(config)?, id, site, token, None),
            Self::Replace { config, old, id, token } => {
                let config = load(config)?;
                let roll = read_roll(&config)?;
                let Some(standing) = roll.standing(old) else {
                    let because = format!("terminal {old} is not registered");
                    let what = "could not replace the terminal";
                    return Err((Exit::Usage, Report::new(what, because, LOOK_AT_LIST)));
                };
                add(&config, id, &standing.site, token, Some(old))
            }
            Self::List { config, json } => list(&load(config)?, *json),
            Self::Import { config, file, out, token } => import(&load(config)?, file, out, token),
            Self::Revoke { config, id, reason } => revoke(&load(config)?, id, reason),
            Self::Dispatch { config, id, out } => {
                super::collector_dispatch::write(&load(config)?, id, out)
            }
            Self::Admit { config, request, out } => admit(&load(config)?, request, out),
        }
    }
}

const LOOK_AT_LIST: &str = "`rollcall collector terminal list` shows all";

fn add(
    config: &Config,
    id: &TerminalId,
    site: &SiteId,
    args: &TokenArgs,
    replaces: Option<&TerminalId>,
) -> Told {
    let what = format!("could not make a token for terminal {id}");
    let roll = read_roll(config)?;
    let notes = notes(config)?;
    if let Some((_, because, hint)) = why_not(&roll, &notes, id, site, args)? {
        return Err((Exit::Usage, Report::new(what, because, hint)));
    }
    let (token, until) = make_token(config, &notes, id, site, args, replaces)?;
    say!("# Token for terminal {id} at site {site}: once, until {until}, China standard time.");
    say!("# Whoever has it can come in as this terminal: hand it over like a key.");
    say!("{token}");
    if let Some(drawn) = qr::on_console(&token.to_string()) {
        say!("{drawn}");
    }
    say!("# On the terminal: rollcall terminal init --config FILE --token -");
    if config.enrolment.url.is_empty() {
        say!("# [enrolment] url is empty: its request has to be carried as a file.");
    }
    Ok(())
}

/// Why no token is made for a terminal: the column or option that is wrong, because of what, and what
/// to do.
fn why_not(
    roll: &Roll,
    notes: &Notes,
    id: &TerminalId,
    site: &SiteId,
    args: &TokenArgs,
) -> Told<Option<(&'static str, String, &'static str)>> {
    if roll.standing(id).is_some() {
        let hint = "a device that was set up anew comes in under a new name: `terminal replace`";
        return Ok(Some(("id", format!("terminal {id} is registered already"), hint)));
    }
    if !roll.has_site(site) {
        return Ok(Some(("site", format!("there is no site {site}"), "register the site first")));
    }
    let token = notes.token(id).map_err(|error| notes_failed(&error))?;
    Ok(token.filter(|_| !args.again).map(|_| {
        let hint = "use that one, or make it worthless with --again";
        ("id", format!("there is a token for {id} already"), hint)
    }))
}

fn make_token(
    config: &Config,
    notes: &Notes,
    id: &TerminalId,
    site: &SiteId,
    args: &TokenArgs,
    replaces: Option<&TerminalId>,
) -> Told<(Token, Timestamp)> {
    let receipt = receipt_key(config)?;
    let ca = certificate_in(&config.enrolment.ca_dir(&config.data_dir))
        .map_err(|error| collector_ca::ca_failed(&error))?;
    let mark = CentreMark::of(&receipt, &ca);
    let token = Token::new(id.clone(), random_bytes(), mark, config.enrolment.url.clone());
    let token = token.expect("the configuration's address was checked");
    let until = SystemClock::start().now().plus_ms(i64::from(args.ttl_hours) * 3_600_000);
    let note = TokenNote {
        key: token.key().verifying_key(),
        site: site.clone(),
        until,
        replaces: replaces.cloned(),
    };
    notes.keep_token(id, &note).map_err(|error| notes_failed(&error))?;
    Ok((token, until))
}

fn import(config: &Config, file: &Path, out: &Path, args: &TokenArgs) -> Told {
    let what = format!("could not make tokens for the terminals in {}", file.display());
    let grid =
        sheet::read(file).map_err(|error| super::collector_sheet::not_read(&what, &error))?;
    let (roll, notes) = (read_roll(config)?, notes(config)?);
    if out.exists() {
        let because = format!("{} is there already", out.display());
        let hint = "tokens are not overwritten: name another file, or delete this one";
        return Err((Exit::Usage, Report::new(what, because, hint)));
    }
    let mut failed = None;
    let rows = sheet::terminals(&grid, |TerminalRow { id, site, .. }| {
        match why_not(&roll, &notes, id, site, args) {
            Ok(why) => why.map(|(column, what, hint)| (column, what, hint.to_owned())),
            Err(error) => {
                failed = Some(error);
                None
            }
        }
    });
    if let Some(failed) = failed {
        return Err(failed);
    }
    let rows = rows.map_err(|problems| {
        let hint = "correct these and import the whole file again";
        super::collector_sheet::wrong(&what, "no token was made", hint, &problems)
    })?;
    let mut table = vec![["id", "site", "token", "until"].map(str::to_owned).to_vec()];
    for TerminalRow { id, site, .. } in &rows {
        let (token, until) = make_token(config, &notes, id, site, args, None)?;
        table.push(vec![id.to_string(), site.to_string(), token.to_string(), until.to_string()]);
    }
    durable::write(out, &sheet::write(&table), Access::Owner).map_err(|error| {
        let hint = "look at the folder and its free space, and import again with --again";
        (Exit::Environment, Report::of(&error, hint))
    })?;
    say!("{}: {} tokens, each for one terminal, once", out.display(), rows.len());
    say!("# Whoever has them can come in as these terminals: hand them over like keys.");
    Ok(())
}

fn list(config: &Config, json: bool) -> Told {
    let roll = read_roll(config)?;
    let notes = notes(config)?;
    let failed = |error: NotesError| notes_failed(&error);
    let wishes = notes.revocations().map_err(failed)?;
    let terminals = roll.terminals();
    let mut all = Vec::new();
    for (id, standing) in &terminals {
        let wish = wishes.iter().find(|(whose, _)| whose == id);
        let state = match (&standing.revoked, wish) {
            (Some(reason), _) => format!("revoked: {reason}"),
            (None, Some((_, wish))) => format!("about to be revoked: {}", wish.reason),
            (None, None) => "enrolled".to_owned(),
        };
        let key = standing.keys.last().map(|key| key.id().to_string()).unwrap_or_default();
        let replaces = standing.replaces.as_ref().map(ToString::to_string);
        let authority = notes.bound(id).map_err(failed)?.and_then(|bound| bound.authority);
        all.push(serde_json::json!({
            "id": id, "site": standing.site, "key": key, "state": state, "replaces": replaces,
            "authority": authority,
        }));
        if !json {
            let replaces = replaces.map(|old| format!(", in place of {old}")).unwrap_or_default();
            let by = authority.as_deref().unwrap_or("unknown");
            say!("{id}\tsite {}\tkey {key}\tauthority {by}\t{state}{replaces}", standing.site);
        }
    }
    for id in notes.with_token().map_err(failed)? {
        if terminals.contains_key(&id) {
            continue;
        }
        if let Some(TokenNote { site, until, .. }) = notes.token(&id).map_err(failed)? {
            all.push(serde_json::json!({
                "id": id, "site": site, "state": "token", "until": until.to_string(),
            }));
            if !json {
                say!("{id}\tsite {site}\tno key yet\ttoken until {until}");
            }
        }
    }
    if json {
        say!("{:#}", serde_json::Value::Array(all));
    }
    Ok(())
}

fn revoke(config: &Config, id: &TerminalId, reason: &str) -> Told {
    let what = format!("could not revoke terminal {id}");
    if !(1..=REASON_BYTES_MAX).contains(&reason.len()) {
        let because = format!("the reason has {} bytes", reason.len());
        let hint = format!("say why in 1 to {REASON_BYTES_MAX} bytes");
        return Err((Exit::Usage, Report::new(what, because, hint)));
    }
    let roll = read_roll(config)?;
    let notes = notes(config)?;
    let failed = |error: NotesError| notes_failed(&error);
    let tokens = notes.with_token().map_err(failed)?;
    if roll.standing(id).is_none() && !tokens.contains(id) {
        let because = "it is not registered, and has no token";
        return Err((Exit::Usage, Report::new(what, because, LOOK_AT_LIST)));
    }
    let wish = RevocationWish { reason: reason.to_owned(), at: SystemClock::start().now() };
    notes.wish_revoked(id, &wish).map_err(failed)?;
    let path = keep_acl(config, &roll)?;
    say!(
        "# A collector that runs refuses {id} within a second; one that starts, from its start on."
    );
    say!("# Wrote {}. Make the broker read it: systemctl reload mosquitto", path.display());
    Ok(())
}

/// Writes the broker's access list, as the ledger and the wishes in this folder have it.
pub(super) fn list_for_broker(config: &Config) -> Told {
    keep_acl(config, &read_roll(config)?).map(drop)
}

pub(super) fn keep_acl(config: &Config, roll: &Roll) -> Told<PathBuf> {
    let failed = |error: NotesError| notes_failed(&error);
    let wishes = notes(config)?.revocations().map_err(failed)?;
    let path = config.enrolment.acl_file(&config.data_dir);
    let text = acl(&roll.platforms(), &enrol::shut_out(&wishes, roll));
    Notes::keep_acl(&path, &text).map_err(failed)?;
    Ok(path)
}

/// After a restore: the ledger is told again what this folder knows and the backup did not hold, and the
/// broker's list is that of the ledger. Without an authority there is nothing of this.
pub(super) fn recall(config: &Config) -> Told {
    if !Section::notes_dir(&config.data_dir).exists()
        && !config.enrolment.ca_dir(&config.data_dir).exists()
    {
        return Ok(());
    }
    let mut home = Home::open_in(&config.data_dir, store(config)?).map_err(home_failed)?;
    let roll = read_roll(config)?;
    let forgotten = enrol::forgotten(&notes(config)?, &roll);
    let (ids, facts): (BTreeSet<TerminalId>, Vec<Fact>) =
        forgotten.map_err(|error| notes_failed(&error))?.into_iter().unzip();
    if !facts.is_empty() {
        home.state(facts, SystemClock::start().now())
            .map_err(|error| desk_failed(&DeskError::State(error)))?;
        let ids: Vec<&str> = ids.iter().map(TerminalId::as_str).collect();
        say!(
            "# Stated again, for this folder knows it and the backup does not: {}",
            ids.join(", ")
        );
    }
    let path = keep_acl(config, &roll)?;
    say!("# Wrote {}. Make the broker read it: systemctl reload mosquitto", path.display());
    Ok(())
}

fn admit(config: &Config, request: &Path, out: &Path) -> Told {
    let mut bytes = Vec::new();
    let limit = u64::try_from(SEALED_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let read =
        std::fs::File::open(request).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|io| {
        let what = format!("could not read the request {}", request.display());
        (Exit::Usage, Report::new(what, io.to_string(), "look at its path and rights"))
    })?;
    let home = Home::open_in(&config.data_dir, store(config)?).map_err(home_failed)?;
    let roll = read_roll(config)?;
    let clock = Arc::new(SystemClock::start());
    let receipt = home.receipt_signer();
    let (home, now) = (Mutex::new(home), Arc::clone(&clock));
    let desk = desk(config, receipt, roll, clock as _, move |facts| {
        let mut home = home.lock().expect("no code under this lock panics");
        home.state(facts, now.now()).map(drop)
    })?;
    let answer = desk.answer(&bytes).map_err(|error| desk_failed(&error))?;
    durable::write(out, &answer, Access::Everyone).map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at the folder and its free space"))
    })?;
    say!("# Wrote {}. On the terminal: the same command with --answer FILE", out.display());
    Ok(())
}

/// The desk of a centre.
pub(super) fn desk(
    config: &Config,
    receipt: crate::record::SigningKey,
    roll: Roll,
    clock: Arc<dyn Clock>,
    state: impl Fn(Vec<crate::domain::Fact>) -> Result<(), crate::collector::StateError>
    + Send
    + Sync
    + 'static,
) -> Told<Desk> {
    let Section { broker_host, broker_port, certificate_days, .. } = &config.enrolment;
    // The centre and its broker on one machine, and no other name given: a trial.
    let host = if broker_host.is_empty() { &config.broker.host } else { broker_host };
    Ok(Desk {
        ca: collector_ca::open(config)?,
        receipt,
        notes: notes(config)?,
        roll,
        told: TerminalsAreTold {
            broker_host: host.clone(),
            broker_port: *broker_port,
            certificate_days: *certificate_days,
        },
        acl_file: config.enrolment.acl_file(&config.data_dir),
        clock,
        state: Box::new(state),
        turn: Mutex::new(()),
    })
}

fn notes(config: &Config) -> Told<Notes> {
    Notes::open(Section::notes_dir(&config.data_dir)).map_err(|error| notes_failed(&error))
}

fn receipt_key(config: &Config) -> Told<VerifyingKey> {
    Home::peek_receipt(&config.data_dir).map_err(home_failed)
}

pub(super) fn read_roll(config: &Config) -> Told<Roll> {
    Roll::read(&store(config)?).map_err(|error| match error {
        RollError::Open(error) => home_failed(error.into()),
        RollError::Read(_) => {
            (Exit::Environment, Report::of(&error, "look at the disk, or restore a backup"))
        }
    })
}

fn notes_failed(error: &NotesError) -> (Exit, Report) {
    (Exit::Environment, Report::of(error, "look at the file, its rights and its disk"))
}

pub(super) fn desk_failed(error: &DeskError) -> (Exit, Report) {
    match error {
        DeskError::Denied(denied) => {
            let what = "could not grant the request";
            (Exit::Found, Report::new(what, denied.to_string(), denied.hint()))
        }
        DeskError::Notes(error) => notes_failed(error),
        DeskError::Ca(error) => collector_ca::ca_failed(error),
        DeskError::State(error) => {
            (Exit::Environment, Report::of(error, "look at the disk's free space and health"))
        }
    }
}
