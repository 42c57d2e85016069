//! A wire to PostgreSQL that breaks where a test wants it: before a request reaches the server, or
//! after the server has answered it, with the answer lost. Knows of the protocol only where a request
//! ends (PostgreSQL, "Message Flow": a simple query, or a Sync).

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Where the wire breaks, counted in requests from when it was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server does not get it.
    Before(u32),
    /// The server gets it and answers, and the answer does not arrive.
    After(u32),
}

type Plan = Arc<Mutex<Option<Cut>>>;

/// Which connections the plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    All,
    /// The next one alone.
    Next,
    /// One that is there already.
    Earlier,
}

pub(crate) struct Cutter {
    port: u16,
    plan: Plan,
    meant: Arc<Mutex<Meant>>,
}

impl Cutter {
    /// A wire to the server at `port`. It ends with this process.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mine = listener.local_addr().unwrap().port();
        let plan = Plan::default();
        let meant = Arc::new(Mutex::new(Meant::All));
        let (of_wires, meant_wires) = (Arc::clone(&plan), Arc::clone(&meant));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let mut meant = meant_wires.lock().unwrap();
                let plan = match *meant {
                    Meant::All | Meant::Next => Arc::clone(&of_wires),
                    Meant::Earlier => Plan::default(),
                };
                if *meant == Meant::Next {
                    *meant = Meant::Earlier;
                }
                drop(meant);
                let client = client.unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                std::thread::spawn(move || carry(&client, &server, &plan));
            }
        });
        Self { port: mine, plan, meant }
    }

    /// From now on the next connection alone is ever cut.
    pub(crate) fn choose_next(&self) {
        *self.meant.lock().unwrap() = Meant::Next;
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Breaks the wire there, once.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.plan.lock().unwrap() = Some(cut);
    }

    /// Whether the cut is still to come.
    pub(crate) fn is_whole(&self) -> bool {
        self.plan.lock().unwrap().is_some()
    }

    /// No cut any more.
    pub(crate) fn mend(&self) {
        *self.plan.lock().unwrap() = None;
    }
}

/// What becomes of the request that was just read.
enum Fate {
    Passes,
    Stopped,
    AnswerLost,
}

fn fate(plan: &Plan) -> Fate {
    let mut plan = plan.lock().unwrap();
    match *plan {
        None => Fate::Passes,
        Some(Cut::Before(0)) => {
            *plan = None;
            Fate::Stopped
        }
        Some(Cut::After(0)) => {
            *plan = None;
            Fate::AnswerLost
        }
        Some(Cut::Before(left)) => {
            *plan = Some(Cut::Before(left - 1));
            Fate::Passes
        }
        Some(Cut::After(left)) => {
            *plan = Some(Cut::After(left - 1));
            Fate::Passes
        }
    }
}

/// One connection, until either side ends it or the plan does. What fails here ends the connection,
/// which is what this is for.
fn carry(client: &TcpStream, server: &TcpStream, plan: &Plan) {
    let lost = Arc::new(Mutex::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut chunk = [0; 64 * 1024];
            while let Ok(read) = (&*server).read(&mut chunk) {
                // The lock is held over the writing, so that "lost" is said before the answer comes.
                let lost = lost.lock().unwrap();
                if read == 0 || *lost || (&*client).write_all(&chunk[..read]).is_err() {
                    break;
                }
            }
            end(client, server);
        });
        // The startup message has no type.
        let mut message = read_rest(client);
        while let Some(bytes) = message {
            if (&*server).write_all(&bytes).is_err() {
                break;
            }
            let mut kind = [0];
            if (&*client).read_exact(&mut kind).is_err() {
                break;
            }
            message = read_rest(client).map(|rest| [kind.to_vec(), rest].concat());
            if matches!(kind, [b'Q' | b'S']) && message.is_some() {
                match fate(plan) {
                    Fate::Passes => {}
                    Fate::Stopped => break,
                    Fate::AnswerLost => *lost.lock().unwrap() = true,
                }
            }
        }
        if !*lost.lock().unwrap() {
            end(client, server);
        }
    });
}

fn end(client: &TcpStream, server: &TcpStream) {
    client.shutdown(Shutdown::Both).ok();
    server.shutdown(Shutdown::Both).ok();
}

/// Length and what it counts.
fn read_rest(mut from: &TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let mut bytes = length.to_vec();
    bytes.resize(usize::try_from(u32::from_be_bytes(length)).unwrap(), 0);
    from.read_exact(&mut bytes[4..]).ok()?;
    Some(bytes)
}
