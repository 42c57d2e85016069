//! `rollcall notifications …`: who is told of anomalies and cases, what was given up, and how it is tried once
//! more (docs/spec/notifications-v1.md).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};
use data_encoding::HEXLOWER;
use serde_json::json;

use super::collector::{ConfigArg, Told, config_failed, load};
use super::report::{Exit, Report};
use crate::collector::notify::{
    Again, Channel, Outbox, Secret, Shelf, ShelfError, Teller, Telling, Topics, Webhook,
};
use crate::collector::{Config, Herald, Watch, read_bounded};
use crate::domain::Severity;
use crate::platform::chance;
use crate::platform::durable::{self, Access};
use crate::platform::secret;

/// The receiver at the broker.
const MQTT: &str = "mqtt";

/// Notifications: who is told of anomalies and cases, at the broker and by webhook.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tells of each receiver how much it was told and what waits. Ends with 1 when something was given up.
    Status {
        #[command(flatten)]
        config: ConfigArg,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Lists what was given up, and why.
    Dead {
        #[command(flatten)]
        config: ConfigArg,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Has what was given up tried once more: by the running collector, or when it starts.
    Retry {
        #[command(flatten)]
        config: ConfigArg,
        /// For which receiver.
        receiver: String,
        /// Which message; without: all.
        #[arg(long)]
        id: Option<String>,
    },
    /// Makes a secret for a webhook, in a file for its owner alone. The receiver is given the same line.
    Secret {
        /// Where to write it; there must be no such file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Status { config, json } => status(&config, json),
            Command::Dead { config, json } => dead(&config, json),
            Command::Retry { config, receiver, id } => retry(&config, &receiver, id),
            Command::Secret { out } => make_secret(&out),
        };
        match done {
            Ok(()) => Exit::Fine.into(),
            Err((exit, report)) => report.tell("notifications", exit),
        }
    }
}

fn shelf_failed(error: &ShelfError) -> (Exit, Report) {
    let hint = match error {
        ShelfError::Content { .. } => {
            "move the file away: the receiver then hears of what comes from now on"
        }
        ShelfError::Io { .. } | ShelfError::Write(_) | ShelfError::Wishes(_) => {
            "look at the folder's rights and its disk"
        }
    };
    (Exit::Environment, Report::of(error, hint))
}

fn shelf(config: &ConfigArg) -> Told<Shelf> {
    Shelf::open(&load(config)?.data_dir).map_err(|error| shelf_failed(&error))
}

fn all(config: &ConfigArg) -> Told<Vec<(String, Outbox)>> {
    shelf(config)?.all().map_err(|error| shelf_failed(&error))
}

fn status(config: &ConfigArg, as_json: bool) -> Told {
    let all = all(config)?;
    let dead: usize = all.iter().map(|(_, outbox)| outbox.dead.len()).sum();
    if as_json {
        let receivers = all.iter().map(|(name, it)| {
            json!({ "receiver": name, "delivered": it.delivered, "trying": it.trying,
                "again": it.again.len(), "dead": it.dead.len() })
        });
        say!("{:#}", json!({ "receivers": receivers.collect::<Vec<_>>() }));
    } else if all.is_empty() {
        say!("尚无接收方 no receiver yet: [notify] names them, and a running collector tells them");
    }
    for (name, it) in all.iter().filter(|_| !as_json) {
        let (sent, dead) = (it.delivered, it.dead.len());
        say!("{name}: 已送达 delivered {sent}，放弃 given up {dead}");
        if let Some(it) = &it.trying {
            say!(
                "  {}: 已试 {} 次，{} 再试 tried {} times, again at {}: {}",
                it.id,
                it.attempts,
                it.due,
                it.attempts,
                it.due,
                it.why
            );
        }
    }
    if dead == 0 {
        return Ok(());
    }
    let because = format!(
        "{dead} were refused for good, or failed {} times",
        crate::collector::notify::ATTEMPTS_MAX
    );
    let hint = "`rollcall notifications dead` lists them, `retry` tries them once more";
    Err((Exit::Found, Report::new("could not deliver every message 有消息未能送达", because, hint)))
}

fn dead(config: &ConfigArg, as_json: bool) -> Told {
    let all = all(config)?;
    if as_json {
        let dead = all.iter().flat_map(|(name, outbox)| {
            outbox.dead.iter().map(move |dead| json!({ "receiver": name, "message": dead }))
        });
        say!("{:#}", json!({ "dead": dead.collect::<Vec<_>>() }));
        return Ok(());
    }
    if all.iter().all(|(_, outbox)| outbox.dead.is_empty()) {
        say!("没有放弃的消息 nothing was given up");
    }
    for (name, outbox) in &all {
        for dead in &outbox.dead {
            say!("{name}  {}  {}  ×{}  {}", dead.at, dead.id, dead.attempts, dead.why);
        }
    }
    Ok(())
}

fn retry(config: &ConfigArg, receiver: &str, id: Option<String>) -> Told {
    let shelf = shelf(config)?;
    let outbox = shelf.read(receiver).map_err(|error| shelf_failed(&error))?;
    let refused = |because: String| {
        let hint = "`rollcall notifications dead` lists what was given up, and for whom";
        (Exit::Usage, Report::new("could not try it once more", because, hint))
    };
    let outbox = outbox.ok_or_else(|| refused(format!("there is no receiver {receiver}")))?;
    let count = outbox.dead.iter().filter(|it| id.as_ref().is_none_or(|id| it.id == *id)).count();
    if count == 0 {
        return Err(refused("nothing like this was given up".into()));
    }
    let name = HEXLOWER.encode(&chance::random_bytes::<16>());
    let again = Again { receiver: receiver.to_owned(), id };
    shelf.leave(&name, &again).map_err(|error| shelf_failed(&error))?;
    say!("{receiver}: 将重试 {count} 条 {count} will be tried once more, while a collector runs");
    Ok(())
}

fn make_secret(out: &Path) -> Told {
    if out.exists() {
        let what = format!("could not write {}", out.display());
        return Err((Exit::Usage, Report::new(what, "it is there already", "name another place")));
    }
    let line = format!("{}\n", Secret::new(&chance::random_bytes()).line());
    durable::write(out, line.as_bytes(), Access::Owner).map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at the folder and its free space"))
    })?;
    say!("# 已写入 wrote {}; 接收方需要同一行 the receiver is given the same line.", out.display());
    Ok(())
}

fn secret_of(path: &Path) -> Told<Secret> {
    let what = || format!("could not use the secret in {}", path.display());
    if secret::is_everybodys(path) {
        let hint = "make it readable by its owner alone: chmod 600";
        return Err((Exit::Usage, Report::new(what(), "others may read it", hint)));
    }
    let text = read_bounded(path).map_err(config_failed)?;
    Secret::read(&text).ok_or_else(|| {
        let hint = "`rollcall notifications secret --out FILE` makes one";
        (Exit::Usage, Report::new(what(), "it is no line that begins with whsec_", hint))
    })
}

/// Secrets are looked at before anything is started.
pub(super) fn webhooks(config: &Config) -> Told<Vec<(String, Severity, Webhook)>> {
    let webhooks = config.notify.webhook.iter().map(|it| {
        let webhook = Webhook::new(&it.url, secret_of(&it.secret_file)?);
        Ok((it.name.clone(), it.severity_min, webhook))
    });
    webhooks.collect()
}

/// Whoever tells the receivers that the configuration names.
pub(super) fn tellers(
    config: &Config,
    webhooks: Vec<(String, Severity, Webhook)>,
    watch: &Watch,
    herald: Herald,
) -> Told<Vec<Teller>> {
    let source =
        std::sync::Arc::new(Telling { watch: watch.clone(), origin: config.origin.clone() });
    let shelf = Shelf::open(&config.data_dir).map_err(|error| shelf_failed(&error))?;
    let mut channels: Vec<(String, Severity, Box<dyn Channel>)> = Vec::new();
    if config.notify.mqtt {
        channels.push((MQTT.to_owned(), Severity::Notice, Box::new(Topics(herald))));
    }
    for (name, severity_min, webhook) in webhooks {
        channels.push((name, severity_min, Box::new(webhook)));
    }
    channels
        .into_iter()
        .map(|(name, severity_min, channel)| {
            Teller::open(&name, severity_min, source.clone(), channel, shelf.clone())
                .map_err(|error| shelf_failed(&error))
        })
        .collect()
}
