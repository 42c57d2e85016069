//! Part of the generator of docs/spec/vectors: what people do about cases.

use rollcall::domain::{CaseId, CaseStep, Fact, Party, Step, Verdict, VerdictReason};

use crate::vectors::MORNING;

/// One fact for each step.
pub(crate) fn case_steps() -> Vec<Fact> {
    vec![
        case_step(1, Step::Taken, None),
        case_step(2, Step::Commented, Some("asked the site")),
        case_step(3, Step::Snoozed { until: MORNING.plus_ms(86_400_000) }, Some("they travel")),
        case_step(
            4,
            Step::Judged {
                verdict: Verdict::Error,
                reason: VerdictReason::Lookalike,
                anomalies: 2,
                digest: [0xd1; 16],
            },
            Some("双胞胎 twins"),
        ),
        case_step(5, Step::Appealed { party: Party::Institution }, Some("the register says so")),
        case_step(6, Step::Reopened, Some("another picture came")),
    ]
}

fn case_step(n: u8, step: Step, text: Option<&str>) -> Fact {
    let (case, text) = (CaseId([0xca; 16]), text.map(str::to_owned));
    Fact::CaseStep(CaseStep { id: [n; 16], case, step, by: "示例市人社局 王".into(), text })
}
