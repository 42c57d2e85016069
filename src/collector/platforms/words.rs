//! What a platform is told over HTTP when its report is not taken: a status, a stable word, and one text in both
//! languages that says what failed, why, and what to do (RFC 9457). Pure. docs/spec/platform-v1.md lists them all; a
//! test holds the list against this file.

use super::judge::Reason;
use crate::domain::Timestamp;

const HOUR_MS: i64 = 3_600_000;

/// When whoever met a collector that is busy, or about to end, shall come again, in seconds.
const BUSY_S: u64 = 10;

/// Why a request brings nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The report is not taken.
    Report(Reason),
    /// There is nothing at this address.
    NoSuchPath,
    /// The address takes another method.
    Method,
    /// The body says to be something else than COSE.
    MediaType,
    /// The body is longer than any report.
    TooLong,
    /// The body did not come in time.
    TooSlow,
    /// The body ended early.
    CutOff,
    /// The core did not answer in time.
    Busy,
    /// The collector ends.
    Ending,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: u16,
    /// Stable word for programs.
    pub(super) code: &'static str,
    pub(super) zh: String,
    pub(super) en: String,
    /// When it makes sense to come again.
    pub(super) retry_after_s: Option<u64>,
}

impl Problem {
    /// What a refusal says at this moment.
    pub(super) fn of(refusal: Refusal, now: Timestamp) -> Self {
        let (status, code, zh, en) = match refusal {
            Refusal::Report(reason) => return Self::of_report(reason, now),
            Refusal::NoSuchPath => (
                404,
                "not_found",
                "没有这个地址。上报地址为 POST /platform/v1/<平台>/reports。",
                "There is nothing at this address. Reports go to POST /platform/v1/<id>/reports.",
            ),
            Refusal::Method => {
                (405, "method_not_allowed", "此地址只接受 POST。", "This address takes POST only.")
            }
            Refusal::MediaType => (
                415,
                "wrong_media_type",
                "报告未标明为 application/cose。请设置 Content-Type: application/cose。",
                "The report does not say to be COSE. Send Content-Type: application/cose.",
            ),
            Refusal::TooLong => (
                413,
                "report_too_long",
                "报告超过 81920 字节，不予接收。请将学习时段分成几份报告。",
                "The report has more than 81,920 bytes, and none so long is taken. Split its stretches into several reports.",
            ),
            Refusal::TooSlow => (
                408,
                "too_slow",
                "报告未在规定时间内传完。请检查网络后重发。",
                "The report did not arrive in time. Look at the network, and send it again.",
            ),
            Refusal::CutOff => (
                400,
                "cut_off",
                "报告传输中断。请重发。",
                "The report was cut off on its way. Send it again.",
            ),
            Refusal::Busy => (
                503,
                "busy",
                "中心繁忙，尚不能确认报告是否入账。请稍后原样重发；已入账的不会重复。",
                "The centre is busy and cannot say yet whether the report is in the ledger. Send the very same later; what \
                 is there is not stated twice.",
            ),
            Refusal::Ending => (
                503,
                "ending",
                "中心正在停止，尚不能确认报告是否入账。请稍后原样重发；已入账的不会重复。",
                "The centre is stopping and cannot say whether the report is in the ledger. Send the very same later; what \
                 is there is not stated twice.",
            ),
        };
        let retry_after_s = (status == 503).then_some(BUSY_S);
        Self { status, code, zh: zh.into(), en: en.into(), retry_after_s }
    }

    fn of_report(reason: Reason, now: Timestamp) -> Self {
        let mut retry_after_s = None;
        let (status, zh, en) = match reason {
            Reason::Unknown => (
                404,
                "未登记此平台。请核对地址中的平台编号，或请中心登记（rollcall collector platform add）。".into(),
                "No such platform is registered. Compare the id in the address, or let the centre register the platform \
                 (rollcall collector platform add)."
                    .into(),
            ),
            Reason::Unsigned => (
                403,
                "不是平台报告，或不是用已登记的密钥签名。请与中心核对平台公钥。".into(),
                "It is no report, or not signed with the key that is registered. Compare the platform's public key with \
                 the centre."
                    .into(),
            ),
            Reason::Foreign => (
                403,
                "报告写的是另一个平台。请使用报告中平台的地址。".into(),
                "The report names another platform. Send it to the address of the platform that it names.".into(),
            ),
            Reason::Flawed(flaw) => (
                422,
                format!("报告内容不合规范：{}。请更正后以同一编号重发。", flaw.zh),
                format!(
                    "The report says what no report may say: {}. Make it anew, with the same number.",
                    flaw.en
                ),
            ),
            Reason::Ahead => (
                422,
                "报告的生成时间超前中心时间十分钟以上。请校准平台时钟后以同一编号重做。".into(),
                "The report was made more than ten minutes ahead of the centre's clock. Set the platform's clock right, \
                 and make it anew with the same number."
                    .into(),
            ),
            Reason::Gap => (
                409,
                "之前的报告尚未收到。请从缺少的编号开始依次重发。".into(),
                "Reports before it are missing. Send them first, in the order of their numbers.".into(),
            ),
            Reason::Flood => {
                retry_after_s = Some(next_hour_s(now));
                (
                    429,
                    "本小时内该平台的学习时段已达上限（100000 个）。请于下一小时继续。".into(),
                    "This platform has sent as many stretches as an hour takes (100,000). Go on in the next hour."
                        .into(),
                )
            }
        };
        Self { status, code: reason.code(), zh, en, retry_after_s }
    }
}

/// Seconds until the next hour begins, at least one.
fn next_hour_s(now: Timestamp) -> u64 {
    let left_ms = HOUR_MS - now.as_ms().rem_euclid(HOUR_MS);
    u64::try_from(left_ms).unwrap_or_default().div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::report::Flaw;

    const ALL: [Refusal; 15] = [
        Refusal::Report(Reason::Unknown),
        Refusal::Report(Reason::Unsigned),
        Refusal::Report(Reason::Foreign),
        Refusal::Report(Reason::Flawed(Flaw { zh: "空", en: "empty" })),
        Refusal::Report(Reason::Ahead),
        Refusal::Report(Reason::Gap),
        Refusal::Report(Reason::Flood),
        Refusal::NoSuchPath,
        Refusal::Method,
        Refusal::MediaType,
        Refusal::TooLong,
        Refusal::TooSlow,
        Refusal::CutOff,
        Refusal::Busy,
        Refusal::Ending,
    ];

    #[test]
    fn the_specification_lists_every_refusal_with_its_status_and_nothing_else() {
        let page = include_str!("../../../docs/spec/platform-v1.md");
        let over_http =
            page.split("\n## Over HTTP\n").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows = over_http.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let status: u16 = cells.next()?.parse().ok()?;
            Some((status, cells.next()?.trim_matches('`').to_owned()))
        });
        // A gap is answered with the sealed answer; the row of 200 has no code.
        let mut listed: Vec<_> = rows.filter(|(status, _)| *status != 200).collect();
        let mut known: Vec<_> = ALL
            .map(|refusal| Problem::of(refusal, Timestamp::default()))
            .into_iter()
            .map(|it| (it.status, it.code.to_owned()))
            .collect();
        listed.sort();
        known.sort();
        assert_eq!(listed, known);
    }

    #[test]
    fn whoever_sends_too_much_is_told_to_come_again_when_the_next_hour_begins() {
        let flood = |ms| Problem::of(Refusal::Report(Reason::Flood), Timestamp::from_ms(ms));
        assert_eq!(flood(HOUR_MS).retry_after_s, Some(3_600));
        assert_eq!(flood(2 * HOUR_MS - 1).retry_after_s, Some(1));
        assert_eq!(flood(HOUR_MS + 1_800_500).retry_after_s, Some(1_800));
        assert_eq!(flood(-1).retry_after_s, Some(1), "also before 1970");
    }
}
