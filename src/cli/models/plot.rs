//! `rollcall models plot REPORT.json… --out FILE.svg`: the DET curves (detection error tradeoff,
//! Martin et al., Eurospeech 1997) of several packs in one picture. Each report is what `bench --lfw
//! DIR --json` printed; nothing is measured here.
//!
//! Both axes are logarithmic, as in NIST's reports on face recognition: FAR from one in a million to
//! one in ten, FRR from one in a thousand to all. The corner that is shaded is the floor of GB/T
//! 38671: FAR at most 0.1 %, FRR at most 5 %; a curve that enters it meets the floor.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use crate::platform::durable::{self, Access};
use crate::platform::telemetry::Chain;

/// Reports in one picture: more curves than colours cannot be told apart.
const REPORTS_MAX: usize = 6;

/// Colours that can be told apart by everybody (Okabe and Ito 2008).
const COLOURS: [&str; REPORTS_MAX] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#000000"];

/// The floor of GB/T 38671.
const FLOOR: (f64, f64) = (1e-3, 5e-2);

/// Decades of the axes: FAR and FRR.
const FAR_DECADES: [i32; 2] = [-6, -1];
const FRR_DECADES: [i32; 2] = [-3, 0];

/// The frame of the curves, in units of the picture: left, top, right, bottom.
const LEFT: f64 = 80.0;
const TOP: f64 = 50.0;
const RIGHT: f64 = 680.0;
const BOTTOM: f64 = 470.0;

#[derive(Debug, Args)]
pub(super) struct Plot {
    /// What `bench --lfw DIR --json` printed, one file for each pack.
    #[arg(value_name = "REPORT", required = true, num_args = 1..=REPORTS_MAX)]
    reports: Vec<PathBuf>,
    /// The picture.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What stands above the picture.
    #[arg(long, value_name = "TEXT", default_value = "LFW, all pairs")]
    title: String,
}

/// The curve of one pack.
#[derive(Debug, Clone, PartialEq)]
struct Curve {
    name: String,
    /// FAR and FRR.
    points: Vec<(f64, f64)>,
    /// FAR and FRR at the threshold `match` of the manifest, if the pack is calibrated.
    matching: Option<(f64, f64)>,
}

impl Plot {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let curves = self.reports.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        let picture = svg(&self.title, &curves);
        durable::write(&self.out, picture.as_bytes(), Access::Everyone).map_err(|error| {
            Failure {
                exit: 3,
                what: format!("could not write the picture {}", self.out.display()),
                because: Chain(&error).to_string(),
                hint: "name a file in a folder that exists".to_owned(),
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn read(path: &Path) -> Result<Curve, Failure> {
    let failed = |because: String| Failure {
        exit: 2,
        what: format!("could not read the report {}", path.display()),
        because,
        hint: "make it with `rollcall models bench --lfw DIR --json > FILE`".to_owned(),
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    curve(&text).map_err(failed)
}

fn curve(report: &str) -> Result<Curve, String> {
    let report: serde_json::Value =
        serde_json::from_str(report).map_err(|error| error.to_string())?;
    let name = report["pack"].as_str().ok_or("it names no pack")?.to_owned();
    let point = |value: &serde_json::Value| Some((value[0].as_f64()?, value[1].as_f64()?));
    let points = report["det"].as_array().ok_or("it has no DET curve")?;
    let points: Vec<_> = points.iter().filter_map(point).collect();
    if points.len() < 2 {
        return Err("its DET curve has fewer than two points".to_owned());
    }
    let at = &report["manifest_thresholds"]["match"];
    let matching = at["far"].as_f64().zip(at["tar"].as_f64()).map(|(far, tar)| (far, 1.0 - tar));
    Ok(Curve { name, points, matching })
}

/// Where a rate lies between the ends of an axis, 0 to 1.
fn along(rate: f64, [from, to]: [i32; 2]) -> f64 {
    let decade = rate.max(f64::MIN_POSITIVE).log10();
    ((decade - f64::from(from)) / f64::from(to - from)).clamp(0.0, 1.0)
}

fn x(far: f64) -> f64 {
    LEFT + along(far, FAR_DECADES) * (RIGHT - LEFT)
}

fn y(frr: f64) -> f64 {
    BOTTOM - along(frr, FRR_DECADES) * (BOTTOM - TOP)
}

fn svg(title: &str, curves: &[Curve]) -> String {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 540\" width=\"720\" \
         height=\"540\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"720\" height=\"540\" fill=\"#ffffff\"/>\n",
    );
    let mut line = |line: String| writeln!(svg, "{line}").expect("a string takes every line");
    line(format!("<text x=\"{LEFT}\" y=\"28\" font-size=\"16\">{}</text>", escaped(title)));
    floor(&mut line);
    axes(&mut line);
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let inside = |rate: f64, decades: [i32; 2]| rate >= 10_f64.powi(decades[0]);
        let points: Vec<String> = curve
            .points
            .iter()
            .filter(|(far, frr)| inside(*far, FAR_DECADES) && inside(*frr, FRR_DECADES))
            .filter(|(far, _)| *far <= 10_f64.powi(FAR_DECADES[1]))
            .map(|(far, frr)| format!("{:.1},{:.1}", x(*far), y(*frr)))
            .collect();
        line(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        ));
        if let Some((far, frr)) = curve.matching {
            line(format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4.5\" fill=\"{colour}\"/>",
                x(far),
                y(frr)
            ));
        }
    }
    legend(curves, &mut line);
    svg.push_str("</svg>\n");
    svg
}

/// The corner that GB/T 38671 leaves.
fn floor(line: &mut impl FnMut(String)) {
    let (right, top) = (x(FLOOR.0), y(FLOOR.1));
    line(format!(
        "<rect x=\"{LEFT}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#e8f1e4\" \
         stroke=\"#5a7d4a\" stroke-dasharray=\"4 3\"/>",
        right - LEFT,
        BOTTOM - top
    ));
    line(format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#3c5a2e\">GB/T 38671: FAR ≤ 0.1 %, FRR ≤ 5 %</text>",
        LEFT + 8.0,
        BOTTOM - 10.0
    ));
}

fn axes(line: &mut impl FnMut(String)) {
    for decade in FAR_DECADES[0]..=FAR_DECADES[1] {
        let at = x(10_f64.powi(decade));
        line(format!(
            "<path d=\"M{at:.1} {TOP}V{BOTTOM}\" stroke=\"#cccccc\" stroke-width=\"0.7\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            BOTTOM + 19.0,
            power_of_ten(decade)
        ));
    }
    for percent in [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
        let at = y(percent / 100.0);
        line(format!(
            "<path d=\"M{LEFT} {at:.1}H{RIGHT}\" stroke=\"#cccccc\" stroke-width=\"0.7\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{percent} %</text>",
            LEFT - 8.0,
            at + 4.5
        ));
    }
    line(format!(
        "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#333333\"/>",
        RIGHT - LEFT,
        BOTTOM - TOP
    ));
    line(format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">FAR: share of pairs of two people that pass</text>",
        f64::midpoint(LEFT, RIGHT),
        BOTTOM + 45.0
    ));
    let middle = f64::midpoint(TOP, BOTTOM);
    line(format!(
        "<text x=\"22\" y=\"{middle:.1}\" text-anchor=\"middle\" \
         transform=\"rotate(-90 22 {middle:.1})\">FRR: share of pairs of one person that fail</text>"
    ));
}

fn power_of_ten(decade: i32) -> String {
    format!("10<tspan dy=\"-5\" font-size=\"9\">{}</tspan>", decade.to_string().replace('-', "−"))
}

fn legend(curves: &[Curve], line: &mut impl FnMut(String)) {
    let mut at = TOP + 20.0;
    for (curve, colour) in curves.iter().zip(COLOURS) {
        line(format!(
            "<path d=\"M{:.1} {:.1}h26\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{at:.1}\">{}</text>",
            RIGHT - 230.0,
            at - 4.5,
            RIGHT - 196.0,
            escaped(&curve.name)
        ));
        at += 19.0;
    }
    if curves.iter().any(|curve| curve.matching.is_some()) {
        line(format!(
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4.5\" fill=\"#555555\"/>\
             <text x=\"{:.1}\" y=\"{at:.1}\">at the pack's threshold “match”</text>",
            RIGHT - 217.0,
            at - 4.5,
            RIGHT - 196.0
        ));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{ "pack": "a<b", "det": [[0.1, 0.01], [0.001, 0.05], [0.00001, 0.3]],
        "manifest_thresholds": { "match": { "far": 0.0001, "tar": 0.9 } } }"#;

    #[test]
    fn curve_of_a_report_stands_in_the_picture_where_the_axes_say() {
        let curve = curve(REPORT).unwrap();
        assert_eq!(curve.points.len(), 3);
        let svg = svg("title & more", &[curve.clone(), curve]);
        assert!(svg.contains("a&lt;b") && svg.contains("title &amp; more"));
        // FAR 1e-1 is the right end, FRR 0.01 one of three decades up.
        assert!(svg.contains("680.0,330.0"), "{svg}");
        // The second point is the corner of the floor.
        let corner = format!("{:.1},{:.1}", x(FLOOR.0), y(FLOOR.1));
        assert!(svg.contains(&corner), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 2);
    }

    #[test]
    fn reports_of_another_kind_are_refused() {
        for (report, why) in [
            ("no json", "expected"),
            ("{}", "names no pack"),
            (r#"{ "pack": "a" }"#, "no DET curve"),
            (r#"{ "pack": "a", "det": [[0.1, null], [0.1, 0.1]] }"#, "fewer than two"),
        ] {
            assert!(curve(report).unwrap_err().contains(why), "{report}");
        }
    }
}
