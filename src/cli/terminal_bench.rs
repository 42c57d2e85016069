//! `rollcall terminal bench`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::report::{Exit, Report as Failure};
use super::terminal::{Told, open_pipeline};
use crate::bench::{self, FRAMES_PER_S, Quantiles, ROSTER, Report};
use crate::checkin::{Settings, When};
use crate::face::RuntimeChoice;
use crate::terminal::FaceSection;

/// See [`super::terminal`].
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// How many people come, one after the other.
    #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(u16).range(1..=1000))]
    visits: u16,
    /// Ask each of them for movements that show a living person.
    #[arg(long)]
    challenge: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    /// Model pack; the one in use without it.
    #[arg(long)]
    pack: Option<String>,
    /// Which inference runtime to use.
    #[arg(long, value_enum, default_value = "auto")]
    runtime: RuntimeChoice,
    /// Folder of installed models.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Told {
    let face = FaceSection {
        pack: args.pack.clone().unwrap_or_default(),
        models_dir: args.models.clone().unwrap_or_default(),
        runtime: args.runtime,
        ..FaceSection::default()
    };
    let mut pipeline = open_pipeline(&face)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|cause| {
        let hint = "look at the limits of this machine";
        (Exit::Environment, Failure::new("could not start", cause.to_string(), hint))
    })?;
    let _inside = runtime.enter();
    let challenge = if args.challenge { When::Always } else { When::Never };
    let settings = Settings { challenge, ..Settings::default() };
    let report = bench::run(&mut pipeline, &settings, args.visits.into());
    let report = report.map_err(|error| {
        let hint =
            "check the models (`rollcall models verify`) and the disk of the temporary folder";
        (Exit::Environment, Failure::of(&error, hint))
    })?;
    if args.json {
        say!("{}", serde_json::to_string(&report).expect("a report is plain data"));
    } else {
        print(&report);
    }
    Ok(())
}

fn print(report: &Report) {
    let Report { visits, accepted, answer_ms, stages_ms: stages, .. } = report;
    say!(
        "{visits} people, a roster of {ROSTER}, {FRAMES_PER_S} frames a second; pack {}, runtime {}",
        report.pack,
        report.runtime
    );
    let asked = if report.challenge { "two each" } else { "none" };
    say!("accepted under their own name: {accepted}; movements asked for: {asked}");
    say!("                              median      p95");
    let line = |what: &str, Quantiles { median, p95 }: Quantiles| {
        say!("{what:<26}{median:>8.1} {p95:>8.1} ms");
    };
    line("face in view to answer", *answer_ms);
    line("  decode", stages.decode);
    line("  detect", stages.detect);
    line("  align, quality", stages.align);
    line("  liveness", stages.liveness);
    line("  embed", stages.embed);
    line("  compare, decide, store", stages.decide);
    say!("frames a second, at most  {:>8.1}", report.frames_per_s);
    if let Some(percent) = report.cpu_percent {
        say!("of one processor          {percent:>8.1} %");
    }
    if let Some(rss_mb) = report.rss_mb {
        say!("memory                    {rss_mb:>8.1} MB");
    }
}
