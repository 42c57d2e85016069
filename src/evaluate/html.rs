//! The evaluation as one page, Chinese beside English: no script, no font and no picture from elsewhere.

use std::fmt::Write;

use super::aims::aimed_by;
use super::figures::Figures;
use super::{Evaluation, plots, reached, reasons};
use crate::domain::Share;
use crate::province::{Care, Kind};

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, \"Noto Sans CJK SC\", \"PingFang SC\", \"Microsoft YaHei\", sans-serif;
  color: #1c2733; background: #fff; max-width: 1000px; margin: 32px auto; padding: 0 20px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; }
p.note { color: #4a5a6a; } .wrap { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14.5px; }
th, td { text-align: right; padding: 6px 9px; border-bottom: 1px solid #dbe2ea; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; } th { color: #4a5a6a; font-weight: 600; }
td small { color: #6b7a89; display: block; } .met { color: #1a7a3c; } .missed { color: #a32020; }
svg { width: 100%; height: auto; } svg text { font-size: 12.5px; fill: #1c2733; }
svg .name { text-anchor: end; } svg .axis { text-anchor: middle; fill: #4a5a6a; } svg .count { fill: #4a5a6a; font-size: 10px; }
svg .grid { stroke: #e3e9ef; } svg .sure { stroke: #1c2733; stroke-width: 1.2; }
.key span { display: inline-block; width: 12px; height: 12px; margin: 0 5px 0 16px; border: 1px solid #9fb3c8; }
li { margin: 8px 0; } li b { font-weight: 600; }
";

/// The whole page.
pub(super) fn of(evaluation: &Evaluation) -> String {
    let mut page = head(evaluation);
    aims(&mut page, evaluation);
    detectors(&mut page, evaluation);
    drawings(&mut page, evaluation);
    missed(&mut page, evaluation);
    page + "</body>\n</html>\n"
}

fn push(page: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(page, "{line}").expect("writing to a text cannot fail");
}

fn head(evaluation: &Evaluation) -> String {
    let labels = &evaluation.labels;
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>规则评估 · Evaluation of the rules</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>规则评估 · Evaluation of the rules</h1>\n"
    );
    push(
        &mut page,
        format_args!(
            "<p>虚构省份：{} 家机构，{} 天，{} 条记录，{} 个诚实学员日，{} 起种下的舞弊；种子 {}，策略 {}。<br>\
             A made province: {} institutions, {} days, {} records, {} honest trainee-days, {} planted \
             incidents; seed {}, policy {}.</p>",
            labels.institutions,
            labels.days,
            evaluation.records,
            evaluation.honest_days,
            labels.incidents.len(),
            labels.seed,
            labels.policy,
            labels.institutions,
            labels.days,
            evaluation.records,
            evaluation.honest_days,
            labels.incidents.len(),
            labels.seed,
            labels.policy,
        ),
    );
    page.push_str(
        "<p class=\"note\">虚构世界中的数字只说明规则如何对待我们想到的舞弊和我们想象的诚实生活，不说明真实舞弊有多少、\
         真实误报有多少。区间为 95 %（Wilson）。<br>Figures on a made world say how the rules treat the frauds \
         that we thought of, among the honest life that we imagined. They do not say how much fraud there is, \
         nor how many honest people a real centre would flag. Intervals are of 95 % (Wilson).</p>\n",
    );
    page
}

fn percent(share: Share) -> String {
    match share.rate() {
        None => "–".to_owned(),
        Some(rate) => {
            let (low, high) = share.interval();
            format!(
                "{:.1} %<small>{:.1}–{:.1} · {}/{}</small>",
                rate * 100.0,
                low * 100.0,
                high * 100.0,
                share.hits,
                share.of
            )
        }
    }
}

fn per_thousand(share: Share) -> String {
    let Some(rate) = share.rate() else { return "–".to_owned() };
    let (low, high) = share.interval();
    format!(
        "{:.2}<small>{:.2}–{:.2} · {}</small>",
        rate * 1_000.0,
        low * 1_000.0,
        high * 1_000.0,
        share.hits
    )
}

fn aims(page: &mut String, evaluation: &Evaluation) {
    page.push_str("<h2>目标 · Aims</h2>\n<div class=\"wrap\"><table>\n<tr><th>指标 · figure</th><th>目标 · aim</th>\
         <th>实测 · reached</th><th></th></tr>\n");
    for (aim, figure) in reached(&evaluation.overall) {
        let (zh, en) = aim.name;
        let sign = if aim.at_most { "≤" } else { "≥" };
        let figure_text = figure.map_or_else(|| "–".to_owned(), |it| format!("{it:.3}"));
        let (class, verdict) = match aim.is_met(figure) {
            true => ("met", "达到 met"),
            false => ("missed", "未达到 missed"),
        };
        push(
            page,
            format_args!(
                "<tr><td>{zh} · {en}</td><td>{sign} {}</td><td>{figure_text}</td>\
                 <td class=\"{class}\">{verdict}</td></tr>",
                aim.bound
            ),
        );
    }
    page.push_str("</table></div>\n");
}

fn row(page: &mut String, name: &str, it: &Figures) {
    let delay = it.delay_median_h().map_or_else(|| "–".to_owned(), |h| format!("{h:.0} h"));
    let [clumsy, middling, careful] = Care::ALL.map(|care| percent(it.recall_of(care)));
    push(
        page,
        format_args!(
            "<tr><td>{name}</td><td>{}</td><td>{clumsy}</td><td>{middling}</td><td>{careful}</td><td>{}</td>\
             <td>{delay}</td></tr>",
            percent(it.precision),
            per_thousand(it.false_alarms),
        ),
    );
}

fn detectors(page: &mut String, evaluation: &Evaluation) {
    page.push_str(
        "<h2>各检测规则 · Detectors</h2>\n<p class=\"note\">单条规则的查全率只算它所针对的种类；合计算全部种类。<br>\
         A detector's recall is that of the kinds that it aims at; the sums are over all kinds.</p>\n\
         <div class=\"wrap\"><table>\n<tr><th>规则 · detector</th><th>查准率<br>precision</th><th>查全·粗糙<br>clumsy</th>\
         <th>查全·一般<br>middling</th><th>查全·谨慎<br>careful</th><th>误报/千日<br>false per 1,000</th>\
         <th>中位延迟<br>delay</th></tr>\n",
    );
    row(page, "<b>合计 · overall</b>", &evaluation.overall);
    row(page, "合计，不含无痕迹的种类 · without kinds that leave no trace", &evaluation.visible);
    let [clumsy, middling, careful] = evaluation.by_aim.map(percent);
    push(
        page,
        format_args!(
            "<tr><td>合计，只算针对该种类的规则 · only what a detector found that aims at it</td><td>–</td>\
             <td>{clumsy}</td><td>{middling}</td><td>{careful}</td><td>–</td><td>–</td></tr>"
        ),
    );
    for (kind, it) in &evaluation.detectors {
        row(page, kind.as_str(), it);
    }
    page.push_str("</table></div>\n");
}

fn drawings(page: &mut String, evaluation: &Evaluation) {
    page.push_str("<h2>各类舞弊的查全率 · Recall by kind</h2>\n<p class=\"key\">");
    for care in Care::ALL {
        let (zh, en) = care.words();
        let colour = plots::colour(care);
        push(page, format_args!("<span style=\"background:{colour}\"></span>{zh} · {en}"));
    }
    page.push_str("</p>\n");
    page.push_str(&plots::recall(evaluation));
    page.push_str("<h2>发现前的时间 · Delay until detection</h2>\n");
    page.push_str(&plots::delays(evaluation));
}

/// Every kind of which something was missed, and why it looks like honest life.
fn missed(page: &mut String, evaluation: &Evaluation) {
    page.push_str("<h2>未找到的 · What was missed, and why</h2>\n<ul>\n");
    for &kind in Kind::ALL {
        let cells: Vec<_> = evaluation.cells.iter().filter(|cell| cell.kind == kind).collect();
        if cells.iter().all(|cell| cell.aimed.hits == cell.aimed.of) {
            continue;
        }
        let (zh, en) = kind.words();
        let counts: Vec<_> = cells
            .iter()
            .map(|cell| {
                let (zh, en) = cell.care.words();
                let by_others = match cell.found.hits - cell.aimed.hits {
                    0 => String::new(),
                    others => format!("（其中 {others} 起由他规则碰到 by others）"),
                };
                format!("{zh} {en} {}/{}{by_others}", cell.found.hits, cell.found.of)
            })
            .collect();
        let nobody = match aimed_by(kind, &evaluation.kinds()).is_empty() {
            true => ("目前没有规则针对它。", "No detector aims at it today. "),
            false => ("", ""),
        };
        let why = reasons::why(kind);
        push(
            page,
            format_args!(
                "<li><b>{zh} · {en}</b>（{}）<br>{}{}<br>{}{}</li>",
                counts.join("，"),
                nobody.0,
                why.zh,
                nobody.1,
                why.en
            ),
        );
    }
    page.push_str("</ul>\n");
}
