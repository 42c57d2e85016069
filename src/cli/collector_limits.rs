//! `rollcall collector limits`: what goes beyond the limits of the policy, of whom, and on what that rests. Reads
//! only, also while a collector runs.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::collector::{ConfigArg, Told, config_failed, load, store};
use super::collector_sheet::people_failed;
use super::report::{Exit, Report};
use crate::collector::limits::{fold, registry};
use crate::collector::people::People;
use crate::domain::{ClaimId, ClassId, Committed, InstitutionId, Modality, PersonId};
use crate::ledger::ReadError;
use crate::rules::limits::{Limits, Objection, Rest};

/// About what it is asked: one of the three.
#[derive(Debug, clap::Args)]
pub(super) struct LimitsArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    of: Of,
    /// For programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// A claim: all that speaks against it.
    #[arg(long, value_name = "ID")]
    claim: Option<ClaimId>,
    /// A class: its plan, its project, its certificates, and whose claim would be refused.
    #[arg(long, value_name = "ID")]
    class: Option<ClassId>,
    /// An institution: its teachers.
    #[arg(long, value_name = "ID")]
    institution: Option<InstitutionId>,
}

pub(super) fn limits(args: &LimitsArgs) -> Told {
    let config = load(&args.config)?;
    let policy = config.policy().map_err(config_failed)?;
    let read = |error: ReadError| (Exit::Environment, Report::of(&error, "look at the disk"));
    let ledger = store(&config)?.read_ledger().map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at [store] and the folder"))
    })?;
    let people = match People::are_in(&config.data_dir) {
        true => Some(People::open(&config.data_dir).map_err(|error| people_failed(&error))?),
        false => None,
    };
    let behind = match &people {
        Some(people) => people.everybody().map_err(|error| people_failed(&error))?,
        None => HashMap::new(),
    };
    let Of { claim, class, institution } = &args.of;
    let filed_for = match claim {
        Some(claim) => {
            registry(&*ledger).map_err(read)?.claim(claim).map(|filed| filed.claim.class.clone())
        }
        None => class.clone(),
    };
    let hours = fold(&*ledger, filed_for, policy).map_err(read)?;
    let (known, limits) = (hours.registry(), Limits::new(&hours, &behind));
    let unknown = |what: &str, id: &str, list: &str| {
        let because = format!("the ledger knows no such {what}");
        let hint = format!("`rollcall collector {list} list` shows all");
        (Exit::Usage, Report::new(format!("could not look at {what} {id}"), because, hint))
    };
    let objections = match (claim, class, institution) {
        (Some(claim), ..) => {
            known.claim(claim).ok_or_else(|| unknown("claim", claim.as_str(), "claim"))?;
            limits.claim(claim)
        }
        (None, Some(class), _) => {
            known.class(class).ok_or_else(|| unknown("class", class.as_str(), "class"))?;
            let members = known.roster(class).filter(|(_, place)| place.left.is_none());
            let of_members = members.flat_map(|(member, _)| limits.member(class, *member));
            let mut all = limits.class(class);
            all.extend(of_members);
            all
        }
        (None, None, Some(id)) => {
            known
                .institution(id)
                .ok_or_else(|| unknown("institution", id.as_str(), "institution"))?;
            limits.institution(id)
        }
        (None, None, None) => unreachable!("the command line asks for one of them"),
    };
    let teller = Teller { people: people.as_ref(), behind: &behind };
    if args.json {
        say!("{:#}", Value::Array(objections.iter().map(|it| teller.json(it)).collect()));
    } else {
        teller.tell(&objections);
    }
    match objections.iter().filter(|it| it.is_hard()).count() {
        0 => Ok(()),
        hard => {
            let because = format!("{hard} of {} objections are hard", objections.len());
            let hint =
                "ask the institution; what is right after all is entered, and looked at again";
            Err((Exit::Found, Report::new("could not find it within the limits", because, hint)))
        }
    }
}

struct Teller<'t> {
    people: Option<&'t People>,
    behind: &'t HashMap<Committed, PersonId>,
}

fn word(modality: Modality) -> (&'static str, &'static str) {
    match modality {
        Modality::Hard => ("不予补贴", "refused"),
        Modality::Soft => ("提醒", "a warning"),
        Modality::May => ("可予考虑", "to be considered"),
    }
}

fn rest(rest: &Rest) -> String {
    match rest {
        Rest::Claim(id) => format!("claim {id}"),
        Rest::Held(id) => format!("held {id}"),
        Rest::Teacher(id) => format!("teacher {id}"),
        Rest::Entry(index) => format!("entry {index}"),
        Rest::Notice(notice) => format!("notice {notice}"),
        Rest::Class(id) => format!("class {id}"),
    }
}

impl Teller<'_> {
    /// Masked; whoever was erased, or is unknown here, by her commitment.
    fn whom(&self, objection: &Objection) -> Option<String> {
        let member = objection.member?;
        Some(match self.behind.get(&member) {
            Some(person) => People::called(self.people, person),
            None => data_encoding::HEXLOWER.encode(&member[..6]),
        })
    }

    fn tell(&self, objections: &[Objection]) {
        if objections.is_empty() {
            say!("未超出任何限制 within all limits");
        }
        for it in objections {
            let (zh, en) = word(it.modality);
            let why = it.why();
            let whom = self.whom(it).map(|whom| format!("  {whom}")).unwrap_or_default();
            let clause = it.clause.as_deref().unwrap_or("—");
            say!("{zh} {en}  [{clause}]{whom}  {}  {}", why.zh, why.en);
            if !it.rests_on.is_empty() {
                let all: Vec<_> = it.rests_on.iter().map(rest).collect();
                say!("    依据 rests on: {}", all.join(", "));
            }
        }
    }

    fn json(&self, it: &Objection) -> Value {
        let why = it.why();
        json!({
            "of": { "kind": it.of.kind(), "id": it.of.id() },
            "limit": it.limit,
            "clause": it.clause,
            "modality": it.modality,
            "refused": it.is_hard(),
            "person": it.member.and_then(|member| self.behind.get(&member)),
            "name": self.whom(it),
            "found": it.found,
            "allowed": it.allowed,
            "why": why,
            "rests_on": it.rests_on.iter().map(rest).collect::<Vec<_>>(),
        })
    }
}
