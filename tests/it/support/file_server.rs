//! A web server for one file, which may misbehave: each connection is served as the script says,
//! the last step for all that follow. What was asked is kept.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How one request is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Serves {
    /// Rightly, with parts on demand.
    Parts,
    /// Only ever the whole file.
    Whole,
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// 404.
    NotFound,
    /// A part, but another one than was asked for.
    OtherPart,
}

/// Serves until the test ends.
pub(crate) struct FileServer {
    pub(crate) url: String,
    /// The value of `Range`, or nothing, for each request.
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl FileServer {
    pub(crate) fn start(file: Vec<u8>, script: &[Serves]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/model.onnx", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, script) = (Arc::clone(&asked), script.to_vec());
        // Ends with the process; a test makes a handful of connections.
        std::thread::spawn(move || {
            for (turn, stream) in listener.incoming().enumerate() {
                let step = script[turn.min(script.len() - 1)];
                // A client that goes away is the client's affair.
                serve(stream.unwrap(), &file, step, &kept).ok();
            }
        });
        Self { url, asked }
    }

    /// The ranges that were asked for so far.
    pub(crate) fn asked(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    file: &[u8],
    step: Serves,
    asked: &Mutex<Vec<Option<String>>>,
) -> std::io::Result<()> {
    let mut range = None;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("range")
        {
            range = Some(value.trim().to_owned());
        }
    }
    asked.lock().unwrap().push(range.clone());
    let from = range
        .as_deref()
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let part = |from: usize| {
        let (last, size) = (file.len() - 1, file.len());
        let head = format!("206 Partial Content\r\nContent-Range: bytes {from}-{last}/{size}");
        (head, &file[from..])
    };
    let whole = || ("200 OK".to_owned(), file);
    let (head, body) = match (step, from) {
        (Serves::NotFound, _) => ("404 Not Found".to_owned(), &b"no such file"[..]),
        (Serves::OtherPart, Some(from)) => part(from + 1),
        (Serves::Parts | Serves::Cut(_), Some(from)) => part(from),
        (Serves::Whole, _) | (Serves::Parts | Serves::Cut(_) | Serves::OtherPart, None) => whole(),
    };
    let sent = match step {
        Serves::Cut(after) => &body[..after.min(body.len())],
        Serves::Parts | Serves::Whole | Serves::NotFound | Serves::OtherPart => body,
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(sent)
}
