//! Motion JPEG over HTTP, as IP cameras send it (`multipart/x-mixed-replace`): an endless answer of one
//! JPEG after the other. Plain HTTP only, for a camera on the site's own network; what lies between
//! two pictures, boundaries and their headers, the splitter passes over.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;

use super::mjpeg::Splitter;
use super::{CaptureError, Frame, FrameSource, PictureError, decode};
use crate::platform::clock::Clock;

/// Longest wait for a connection, and for the next bytes.
const WAIT: Duration = Duration::from_secs(5);

/// Longest wait for one whole picture, in milliseconds: a camera that trickles is lost.
const PICTURE_MS_MAX: u64 = 10_000;

/// Longest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// Read at once, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// Most bytes that are passed over for a newer picture.
const SKIP_BYTES_MAX: usize = 32 << 20;

/// The address of a stream. Shown without what stands before `@`.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamUrl {
    host: String,
    port: u16,
    path: String,
    /// `user:password`, for basic authentication (RFC 7617).
    login: Option<String>,
}

impl StreamUrl {
    /// From `http://[user:password@]host[:port]/path`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("http://").ok_or("stream must begin with http://")?;
        if rest.len() > 1_000 || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("stream must be an address without spaces, of at most 1000 bytes");
        }
        let (place, path) = match rest.split_once('/') {
            Some((place, path)) => (place, format!("/{path}")),
            None => (rest, "/".to_owned()),
        };
        let (login, place) = match place.rsplit_once('@') {
            Some((login, place)) => (Some(login.to_owned()), place),
            None => (None, place),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !place.ends_with(']') => {
                (host, port.parse().map_err(|_| "stream has a port that is none")?)
            }
            Some(_) | None => (place, 80),
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        if host.is_empty() || port == 0 {
            return Err("stream names no host, or port 0");
        }
        Ok(Self { host, port, path, login })
    }
}

impl fmt::Display for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may hold a password as well.
        let path = self.path.split('?').next().unwrap_or("/");
        write!(f, "http://{}:{}{path}", self.host, self.port)
    }
}

impl fmt::Debug for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamUrl({self})")
    }
}

/// A stream that was begun.
pub struct HttpStream {
    url: StreamUrl,
    tcp: TcpStream,
    splitter: Splitter,
    clock: Arc<dyn Clock>,
}

impl HttpStream {
    /// Connects and reads the head of the answer.
    pub fn open(url: &StreamUrl, clock: Arc<dyn Clock>) -> Result<Self, CaptureError> {
        let failed = |io| CaptureError::Open { camera: url.to_string(), io };
        let mut tcp = connect(url).map_err(failed)?;
        let login = url
            .login
            .as_ref()
            .map(|login| format!("Authorization: Basic {}\r\n", BASE64.encode(login.as_bytes())));
        // Of HTTP/1.0, so that nothing is sent in chunks.
        let request = format!(
            "GET {} HTTP/1.0\r\nHost: {}\r\n{}Accept: multipart/x-mixed-replace, image/jpeg\r\n\r\n",
            url.path,
            url.host,
            login.unwrap_or_default()
        );
        tcp.write_all(request.as_bytes()).map_err(failed)?;
        let rest = read_head(&mut tcp, &*clock).map_err(failed)?;
        let mut splitter = Splitter::default();
        splitter.push(&rest);
        Ok(Self { url: url.clone(), tcp, splitter, clock })
    }

    fn lost(&self, io: io::Error) -> CaptureError {
        CaptureError::Lost { camera: self.url.to_string(), io }
    }

    /// The newest picture that has come; waits for one where none has.
    fn newest(&mut self) -> Result<Vec<u8>, CaptureError> {
        let until_ms = self.clock.uptime().as_ms() + PICTURE_MS_MAX;
        let (mut newest, mut damaged, mut skipped) = (None, 0_u32, 0);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            while let Some(picture) = self.splitter.picture() {
                match picture {
                    Ok(picture) => newest = Some(picture),
                    Err(_) => damaged += 1,
                }
            }
            // Whoever sends faster than is read here would keep us for ever.
            if skipped > SKIP_BYTES_MAX || self.clock.uptime().as_ms() > until_ms {
                let late = || io::Error::new(ErrorKind::TimedOut, "no whole picture came in time");
                return newest.ok_or_else(|| self.lost(late()));
            }
            if newest.is_none() && damaged > 0 {
                let path = self.url.to_string().into();
                return Err(CaptureError::Picture { path, why: PictureError::Damaged });
            }
            // With a picture in the hand only what is there already is read.
            self.tcp.set_nonblocking(newest.is_some()).map_err(|io| self.lost(io))?;
            match self.tcp.read(&mut chunk) {
                Ok(0) if newest.is_some() => break,
                Ok(0) => {
                    let ended = io::Error::new(ErrorKind::UnexpectedEof, "the camera hung up");
                    return Err(self.lost(ended));
                }
                Ok(count) => {
                    self.splitter.push(&chunk[..count]);
                    skipped += count;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if newest.is_some() && error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(self.lost(error)),
            }
        }
        newest.ok_or_else(|| self.lost(ErrorKind::UnexpectedEof.into()))
    }
}

impl FrameSource for HttpStream {
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        let picture = self.newest()?;
        let path = || self.url.to_string().into();
        decode(&picture).map(Some).map_err(|why| CaptureError::Picture { path: path(), why })
    }
}

fn connect(url: &StreamUrl) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "its name has no address");
    for address in (url.host.as_str(), url.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, WAIT) {
            Ok(tcp) => {
                tcp.set_read_timeout(Some(WAIT))?;
                tcp.set_write_timeout(Some(WAIT))?;
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Reads up to the empty line, and gives what came behind it.
fn read_head(tcp: &mut TcpStream, clock: &dyn Clock) -> io::Result<Vec<u8>> {
    const END: &[u8] = b"\r\n\r\n";
    let until_ms = clock.uptime().as_ms() + PICTURE_MS_MAX;
    let (mut bytes, mut chunk) = (Vec::new(), [0; 1024]);
    let end = loop {
        if let Some(end) = bytes.windows(END.len()).position(|window| window == END) {
            break end;
        }
        if bytes.len() > HEAD_BYTES_MAX || clock.uptime().as_ms() > until_ms {
            return Err(io::Error::other(
                "the head of its answer is too long, or comes too slowly",
            ));
        }
        match tcp.read(&mut chunk)? {
            0 => return Err(io::Error::new(ErrorKind::UnexpectedEof, "it hung up")),
            count => bytes.extend(&chunk[..count]),
        }
    };
    let rest = bytes.split_off(end + END.len());
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let status = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
    if !head.starts_with("http/") || status != "200" {
        let status: String = status.chars().take(20).collect();
        return Err(io::Error::other(format!("it answers {status:?} instead of 200")));
    }
    if head.lines().any(|line| line.starts_with("transfer-encoding:") && line.contains("chunked")) {
        return Err(io::Error::other("it sends in chunks, which was not asked for"));
    }
    Ok(rest)
}
