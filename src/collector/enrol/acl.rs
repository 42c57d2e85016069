//! Who may do what at the broker, as Mosquitto reads it (mosquitto.conf(5), `acl_file`). Pure.
//!
//! Whoever shows a certificate of the centre's CA is known by the name in it; patterns give each name
//! its own topics and nothing else, so a new terminal needs no change here. A revoked one is denied
//! everything: its section is read before the patterns. Online platforms have a section each.

use crate::collector::ca::{ALERTS_NAME, COLLECTOR_NAME, platform_name};
use crate::domain::{PlatformId, TerminalId};
use crate::record::topic::{
    ALL_ALERTS, ALL_QUESTIONS, ALL_RECORDS, ALL_REPORTS, ALL_SHARES, ALL_STATUS,
};

/// The whole file, with those who may report and those who may do nothing.
pub fn acl<'t>(
    platforms: impl IntoIterator<Item = &'t PlatformId>,
    revoked: impl IntoIterator<Item = &'t TerminalId>,
) -> String {
    let mut text = format!(
        "# Written by the collector; changes made here are lost. After a change:\n\
         # systemctl reload mosquitto (it reads this file anew on SIGHUP).\n\n\
         user {COLLECTOR_NAME}\n\
         topic read {ALL_RECORDS}\n\
         topic read {ALL_QUESTIONS}\n\
         topic read {ALL_STATUS}\n\
         topic read {ALL_SHARES}\n\
         topic read {ALL_REPORTS}\n\
         topic write rollcall/v1/+/answers\n\
         topic write rollcall/v1/+/dispatch\n\
         topic write rollcall/v1/+/shared\n\
         topic write rollcall/v1/platform/+/taken\n\
         topic write {ALL_ALERTS}\n\n\
         user {ALERTS_NAME}\n\
         topic read {ALL_ALERTS}\n\n"
    );
    for id in platforms {
        text += &format!(
            "user {}\ntopic write rollcall/v1/platform/{id}/reports\n\
             topic read rollcall/v1/platform/{id}/taken\n\n",
            platform_name(id)
        );
    }
    for terminal in revoked {
        text += &format!("# revoked\nuser {terminal}\ntopic deny #\n\n");
    }
    for channel in ["records", "ask", "share", "status"] {
        text += &format!("pattern write rollcall/v1/%u/{channel}\n");
    }
    for channel in ["answers", "dispatch", "shared"] {
        text += &format!("pattern read rollcall/v1/%u/{channel}\n");
    }
    text
}
