//! The page in a real browser, at the widths of a desk and of a phone.
//!
//! Chromium is driven by its DevTools protocol over a pipe (messages end in a zero byte), so no
//! port and no further program is needed. With `ROLLCALL_SCREENSHOTS=DIR` the pictures that the
//! documentation shows are taken on the way.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use data_encoding::BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::web_fixture::{Server, another_anomaly, attendance, chengdu, terminal};
use rollcall::feed::TerminalState;

/// How long the page may take to show what a test waits for.
const PATIENCE_MS: u64 = 20_000;

pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next_id: u64,
    _profile: TempDir,
}

pub(crate) struct Tab<'b> {
    browser: &'b mut Browser,
    session: String,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let program = env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let profile = tempfile::tempdir().unwrap();
        // The browser speaks on descriptors 3 and 4; the shell puts our pipes there.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#, &program])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
            .args(["--disable-background-networking", "--disable-dev-shm-usage", "--no-first-run"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--remote-debugging-pipe", "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh is there");
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        let mut browser = Self { child, to, from, next_id: 0, _profile: profile };
        let version = browser.try_call(None, "Browser.getVersion", json!({}));
        assert!(
            version.is_some(),
            "the browser `{program}` does not start: install chromium (./test does), or name \
             another Chromium in the variable CHROMIUM"
        );
        browser
    }

    fn try_call(&mut self, session: Option<&str>, method: &str, params: Value) -> Option<Value> {
        self.next_id += 1;
        let id = self.next_id;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).ok()?;
        loop {
            let mut bytes = Vec::new();
            if self.from.read_until(0, &mut bytes).ok()? == 0 {
                return None;
            }
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            // Everything else is an event that nobody asked for.
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return Some(answer["result"].clone());
            }
        }
    }

    pub(crate) fn open(&mut self, width: u32, height: u32, scheme: &str, url: &str) -> Tab<'_> {
        let call = |browser: &mut Self, session: Option<&str>, method: &str, params| {
            browser.try_call(session, method, params).expect("the browser answers")
        };
        let target = call(self, None, "Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = call(self, None, "Target.attachToTarget", attach);
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let mut tab = Tab { browser: self, session };
        let phone = width < 600;
        tab.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone }),
        );
        tab.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        );
        tab.call("Page.navigate", json!({ "url": url }));
        tab
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Tab<'_> {
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        let session = self.session.clone();
        self.browser.try_call(Some(&session), method, params).expect("the browser answers")
    }

    /// The value of an expression; a promise is waited for.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true }),
        );
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits in the page until the condition holds; while the page is being made, what the
    /// condition looks for may not be there yet.
    pub(crate) fn wait_for(&mut self, condition: &str) {
        let waited = self.eval(&format!(
            "new Promise((done) => {{
               const end = performance.now() + {PATIENCE_MS};
               const holds = () => {{ try {{ return {condition}; }} catch {{ return false; }} }};
               const look = () => {{
                 if (holds()) done(true);
                 else if (performance.now() > end) done(false);
                 else requestAnimationFrame(look);
               }};
               look();
             }})"
        ));
        assert_eq!(waited, true, "waited in vain for: {condition}\n{}", self.text());
    }

    pub(crate) fn text(&mut self) -> String {
        self.eval("document.body.innerText").as_str().unwrap_or("").to_owned()
    }

    pub(crate) fn count(&mut self, selector: &str) -> u64 {
        self.eval(&format!("document.querySelectorAll({selector:?}).length")).as_u64().unwrap()
    }

    /// Nothing sticks out at the right; panels that scroll by themselves are looked into as well.
    pub(crate) fn assert_nothing_overflows(&mut self) {
        let wide = self.eval(
            "[document.documentElement, ...document.querySelectorAll('.scroll, .panel, .bar, .top')]
               .filter((e) => e.scrollWidth > e.clientWidth + 1)
               .map((e) => `${e.tagName} ${e.className} ${e.scrollWidth} > ${e.clientWidth}`)
               .join('; ')",
        );
        assert_eq!(wide, "", "elements that are wider than their place");
    }

    /// Saves what is seen, where the variable says so: as PNG or WebP, by the name's ending.
    pub(crate) fn picture(&mut self, name: &str) {
        let Some(folder) = env::var_os("ROLLCALL_SCREENSHOTS").map(PathBuf::from) else { return };
        let format = name.rsplit('.').next().unwrap();
        let wanted = match format {
            "webp" => json!({ "format": "webp", "quality": 80 }),
            _ => json!({ "format": format }),
        };
        let shot = self.call("Page.captureScreenshot", wanted);
        let bytes = BASE64.decode(shot["data"].as_str().unwrap().as_bytes()).unwrap();
        let mut file = fs::File::create(folder.join(name)).unwrap();
        file.write_all(&bytes).unwrap();
    }
}

const READY: &str = "document.querySelectorAll('#anomaly-list > li').length >= 12
     && document.getElementById('figure-entries').textContent !== '—'
     && !document.getElementById('demo').hidden";

#[test]
fn page_shows_everything_in_both_languages_at_a_desk() {
    let server = Server::of_province();
    let url = format!("http://{}/", server.address);
    let mut browser = Browser::start();
    for scheme in ["light", "dark"] {
        let mut tab = browser.open(1280, 900, scheme, &url);
        tab.wait_for(READY);
        tab.picture(&format!("live-1280-{scheme}.png"));
        let text = tab.text();
        for expected in [
            "实时",
            "Live",
            "演示数据",
            "Demo data",
            "警报",
            "Alarm",
            "替课",
            "Stand-in",
            "同时多端",
            "One person, two places",
            "周晓梅",
            "成都",
            "Chengdu",
            "ghost-77",
            "时钟可疑",
            "Clock doubtful",
            "待传记录",
            "1,284",
            "2026-03-02",
            "相距 112 公里的两个终端",
            "two terminals 112 km apart",
        ] {
            assert!(text.contains(expected), "{expected:?} is not on the page:\n{text}");
        }
        assert_eq!(tab.count("#terminal-list > li"), 3);
        assert_eq!(tab.count("#attendance-list > li"), 30);
        tab.assert_nothing_overflows();
    }
}

#[test]
fn evidence_unfolds_to_the_ledger_entry_and_how_to_check_it() {
    let server = Server::of_province();
    let url = format!("http://{}/", server.address);
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 900, "light", &url);
    tab.wait_for(READY);
    tab.eval(
        "{ const stand_in = [...document.querySelectorAll('.anomaly')]
             .find((a) => a.innerText.includes('替课'));
           stand_in.querySelector('summary').click(); }",
    );
    tab.wait_for("document.querySelector('.entry')?.innerText.includes('像另一人')");
    let text = tab.text();
    for expected in ["#4", "0.7102", "2026-03-02 08:31:42", "rollcall verify", "自行核验"] {
        assert!(text.contains(expected), "{expected:?} is not on the page:\n{text}");
    }
    tab.eval("document.querySelector('.proof').closest('li').scrollIntoView()");
    tab.picture("evidence-1280-light.png");
    tab.assert_nothing_overflows();
}

#[test]
fn page_fits_a_phone_and_its_tabs_show_one_panel_each() {
    let server = Server::of_province();
    let url = format!("http://{}/", server.address);
    let mut browser = Browser::start();
    for scheme in ["light", "dark"] {
        let mut tab = browser.open(390, 844, scheme, &url);
        tab.wait_for(READY);
        for panel in ["anomalies", "terminals", "attendances"] {
            tab.eval(&format!("document.querySelector('.tabs [data-tab={panel}]').click()"));
            tab.wait_for(&format!("document.querySelector('.panel.{panel}').offsetHeight > 0"));
            let shown =
                "[...document.querySelectorAll('.panel')].filter((p) => p.offsetHeight > 0).length";
            assert_eq!(tab.eval(shown), 1);
            tab.assert_nothing_overflows();
            tab.picture(&format!("live-390-{panel}-{scheme}.png"));
        }
        tab.eval("document.querySelector('.tabs [data-tab=anomalies]').click()");
        tab.eval("document.querySelector('summary').click()");
        tab.wait_for("document.querySelector('.check') !== null");
        tab.eval("document.querySelector('.proof').scrollIntoView()");
        tab.assert_nothing_overflows();
        tab.picture(&format!("evidence-390-{scheme}.png"));
    }
}

#[test]
fn new_events_appear_live_and_wait_while_somebody_reads() {
    let server = Server::of_province();
    let url = format!("http://{}/", server.address);
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 900, "light", &url);
    tab.wait_for(READY);

    server.feed.announce(&[another_anomaly(1), attendance(40)]).unwrap();
    tab.wait_for("document.querySelectorAll('#anomaly-list > li').length === 13");
    tab.wait_for("document.querySelectorAll('#attendance-list > li').length === 31");
    tab.wait_for("document.getElementById('say').textContent.includes('新异常')");

    let full = terminal("cd-east-01", chengdu(), TerminalState::Full, 4_000, 49);
    server.feed.announce(&[full]).unwrap();
    tab.wait_for("document.getElementById('terminal-list').innerText.includes('已满 Full')");
    assert_eq!(tab.count("#terminal-list > li"), 3, "a new state replaces the old one");

    tab.eval("document.getElementById('pause').click()");
    server.feed.announce(&[another_anomaly(2), another_anomaly(3)]).unwrap();
    tab.wait_for("document.getElementById('fresh').innerText.includes('2 条新异常')");
    assert_eq!(tab.count("#anomaly-list > li"), 13, "nothing moves while the page is paused");
    tab.picture("paused-1280-light.png");
    tab.eval("document.getElementById('fresh').click()");
    tab.wait_for("document.querySelectorAll('#anomaly-list > li').length === 15");

    tab.eval("document.querySelector('.toggle-alarm').click()");
    tab.wait_for("document.querySelectorAll('#anomaly-list .is-alarm').length === 0");
    assert!(tab.count("#anomaly-list > li") > 0, "other severities stay");
}

#[test]
fn an_empty_page_explains_itself_and_older_anomalies_can_be_loaded() {
    let server = Server::start();
    let url = format!("http://{}/", server.address);
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 900, "light", &url);
    tab.wait_for("document.body.innerText.includes('目前没有异常')");
    tab.wait_for("document.body.innerText.includes('尚无终端')");
    tab.wait_for("document.getElementById('figure-entries').textContent !== '—'");
    tab.picture("empty-1280-light.png");

    let many: Vec<_> = (0..450).map(another_anomaly).collect();
    server.feed.announce(&many).unwrap();
    tab.wait_for("document.querySelectorAll('#anomaly-list > li').length === 200");
    tab.eval("document.getElementById('older').click()");
    tab.wait_for("document.querySelectorAll('#anomaly-list > li').length === 250");
    let sorted = "[...document.querySelectorAll('#anomaly-list > li')]
         .map((li) => Number(li.dataset.id)).every((id, i, all) => !i || all[i - 1] === id + 1)";
    assert_eq!(tab.eval(sorted), true, "newest first, without a hole and without a repetition");
}

#[test]
fn page_comes_back_after_a_restart_and_misses_and_repeats_nothing() {
    let mut server = Server::of_province_on("127.0.1.9:0");
    let url = format!("http://{}/", server.address);
    let mut browser = Browser::start();
    let mut tab = browser.open(1280, 900, "light", &url);
    tab.wait_for(READY);
    // Drawn anew by a snapshot, this mark would vanish.
    tab.eval("document.querySelector('#anomaly-list > li').dataset.mark = 'old'");

    server.stop();
    tab.wait_for("document.getElementById('link').innerText.includes('重新连接中')");
    tab.picture("reconnecting-1280-light.png");
    server.serve_again("feed.sqlite");
    server.feed.announce(&[another_anomaly(1)]).unwrap();
    tab.wait_for("document.getElementById('link').innerText.includes('实时')");
    tab.wait_for("document.querySelectorAll('#anomaly-list > li').length === 13");
    assert_eq!(tab.count("[data-mark=old]"), 1, "what was shown stays");
    let ids = "[...document.querySelectorAll('#anomaly-list > li')].map((li) => li.dataset.id)";
    assert_eq!(tab.eval(&format!("new Set({ids}).size")), 13);

    // Another log at the same address, with numbers that reach beyond those seen.
    server.stop();
    server.serve_again("another.sqlite");
    let many: Vec<_> = (100..160).map(another_anomaly).collect();
    server.feed.announce(&many).unwrap();
    tab.wait_for("document.querySelectorAll('#anomaly-list > li').length === 60");
    assert_eq!(tab.count("[data-mark=old]"), 0, "nothing of the other log stays");
    assert_eq!(tab.count("#terminal-list > li"), 0);
}
