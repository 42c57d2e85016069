// The connection: server-sent events that resume where they broke off (docs/spec/feed-v1.md).
//
// The browser reconnects by itself after a break; this file does what it does not: notice a line
// that is dead without a break, come back after an error answer, and start afresh when the
// server's log is another one than before.

const SILENCE_MS_MAX = 40_000; // the server beats every 15 seconds
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;

// `on` has: state("live" | "reconnecting"), snapshot(data), event(data).
export function follow(url, on) {
  let source = null;
  let log = null;
  let last = null; // number of the last event seen
  let watchdog = 0;
  let retry_ms = RETRY_MS_MIN;

  function alive() {
    clearTimeout(watchdog);
    watchdog = setTimeout(again, SILENCE_MS_MAX);
  }

  function again() {
    clearTimeout(watchdog);
    source?.close();
    on.state("reconnecting");
    watchdog = setTimeout(connect, retry_ms);
    retry_ms = Math.min(retry_ms * 2, RETRY_MS_MAX);
  }

  function connect() {
    source?.close();
    source = new EventSource(last === null ? url : `${url}?after=${last}`);
    alive();
    source.addEventListener("open", alive);
    source.addEventListener("error", () => {
      on.state("reconnecting");
      // The browser gives up for good on an error answer (a proxy's 502, our 503).
      if (source.readyState === EventSource.CLOSED) again();
    });
    source.addEventListener("beat", alive);
    source.addEventListener("snapshot", (message) => {
      const data = JSON.parse(message.data);
      log = data.log;
      last = data.cursor;
      welcome();
      on.snapshot(data.events);
    });
    source.addEventListener("resume", (message) => {
      const data = JSON.parse(message.data);
      if (log !== null && data.log !== log) {
        last = null;
        connect();
        return;
      }
      welcome();
    });
    for (const type of ["anomaly", "attendance", "terminal"]) {
      source.addEventListener(type, (message) => {
        const event = JSON.parse(message.data);
        if (last !== null && event.id <= last) return;
        last = event.id;
        alive();
        on.event(event);
      });
    }
  }

  function welcome() {
    retry_ms = RETRY_MS_MIN;
    alive();
    on.state("live");
  }

  connect();
}
