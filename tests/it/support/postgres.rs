//! A real PostgreSQL server of our own: its data in a temporary folder, on a port of its own, as
//! another user where we are root (it refuses to be root). The tests share one and have a database
//! each; a test that kills its server has one to itself.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};
use rollcall::platform::postgres::Address;
use tempfile::TempDir;

use super::broker::eventually;
use super::mosquitto::free_port;

/// The user whom the server runs as, where we are root. Debian's package makes it; `nobody` is
/// everywhere.
const USERS: [&str; 2] = ["postgres", "nobody"];

pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    options: Vec<String>,
    child: Option<Child>,
    /// Ends the server when this process ends, however it does: then nobody holds the pipe.
    guard: Option<(Child, ChildStdin)>,
}

/// Newest first, where several versions are installed.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.map(|version| version.unwrap().path().join("bin")).collect())
        .unwrap_or_default();
    found.sort_by_key(|bin| {
        let version = bin.parent().unwrap().file_name().unwrap().to_str().unwrap();
        version.parse::<u32>().unwrap_or(0)
    });
    let usual = ["/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    found.into_iter().rev().chain(usual).find(|bin| bin.join("initdb").exists()).expect(
        "these tests need PostgreSQL: `apt-get install postgresql`, or run ./test, which does",
    )
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

fn user() -> &'static str {
    let known = |user: &&str| {
        let mut id = Command::new("id");
        id.arg(user).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    USERS.into_iter().find(known).expect("Debian has a user `nobody`")
}

/// The program, as the user whom it must run as. `setpriv` becomes it, so that killing one kills the
/// other.
fn command(program: &str) -> Command {
    let program = programs().join(program);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let user = user();
    let group = if user == "nobody" { "nogroup" } else { user };
    command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
    command.arg(program);
    command
}

impl Server {
    /// Starts a server with further settings, as `-c name=value` takes them.
    pub(crate) fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            let owner = Command::new("chown").arg(user()).arg(folder.path()).status().unwrap();
            assert!(owner.success());
        }
        let made = command("initdb")
            .args(["--no-sync", "--username=rollcall", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--pgdata"])
            .arg(folder.path().join("data"))
            .current_dir("/")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { folder, port: free_port(), options, child: None, guard: None };
        server.start_again();
        server
    }

    /// Starts it after [`Self::kill`], on the same port and with what is on the disk.
    pub(crate) fn start_again(&mut self) {
        // The children of a killed server may hold its memory for a moment, and it does not start.
        eventually("PostgreSQL starts", || {
            let ended = |child: &mut Child| child.try_wait().unwrap().is_some();
            if self.child.as_mut().is_none_or(ended) {
                self.spawn();
            }
            self.try_client("postgres").is_some()
        });
        let child = self.child.as_ref().unwrap();
        // A signal that ends this process may be meant for all that it started: the guard stays.
        let script = "trap '' INT TERM HUP; read _; kill -QUIT $0 2>/dev/null; rm -rf \"$1\"";
        let mut guard = Command::new("sh")
            .args(["-c", script, &child.id().to_string()])
            .arg(self.folder.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = guard.stdin.take().unwrap();
        self.guard = Some((guard, pipe));
    }

    fn spawn(&mut self) {
        let folder = self.folder.path();
        let mut command = command("postgres");
        command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
        command.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        for option in ["shared_buffers=16MB", "max_connections=100", "autovacuum=off"] {
            command.args(["-c", option]);
        }
        self.options.iter().for_each(|option| _ = command.args(["-c", option]));
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let log = (log.try_clone().unwrap(), log);
        command.current_dir("/").stdin(Stdio::null()).stdout(log.0).stderr(log.1);
        self.child = Some(command.spawn().unwrap());
    }

    /// `kill -9`: what it had not on the disk is gone.
    pub(crate) fn kill(&mut self) {
        self.let_go();
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn let_go(&mut self) {
        if let Some((mut guard, _pipe)) = self.guard.take() {
            guard.kill().unwrap();
            guard.wait().unwrap();
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where its files lie.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn socket(&self) -> &Path {
        self.folder.path()
    }

    fn try_client(&self, database: &str) -> Option<Client> {
        let mut config = postgres::Config::new();
        config.host_path(self.socket()).port(self.port).user("rollcall").dbname(database);
        config.connect(NoTls).ok()
    }

    /// Makes an empty database.
    pub(crate) fn database(&self) -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::SeqCst));
        let mut client = self.try_client("postgres").unwrap();
        client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        Database { socket: self.socket().to_owned(), port: self.port, name }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

/// The server that the tests share. It ends with this process.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&[]))
}

/// An empty database on the shared server.
pub(crate) fn database() -> Database {
    server().database()
}

pub(crate) struct Database {
    socket: PathBuf,
    port: u16,
    pub(crate) name: String,
}

impl Database {
    /// For `[store] url`: by the server's socket.
    pub(crate) fn url(&self) -> String {
        let host = self.socket.display().to_string().replace('/', "%2F");
        format!("postgres://rollcall@{host}:{}/{}", self.port, self.name)
    }

    /// By TCP, through whatever listens on `port`.
    pub(crate) fn address_by(&self, port: u16) -> Address {
        let url = format!("postgres://rollcall@127.0.0.1:{port}/{}", self.name);
        Address::parse(&url, None, None).unwrap()
    }

    pub(crate) fn address(&self) -> Address {
        Address::parse(&self.url(), None, None).unwrap()
    }

    /// Past the program.
    pub(crate) fn client(&self) -> Client {
        let mut config = postgres::Config::new();
        config.host_path(&self.socket).port(self.port).user("rollcall").dbname(&self.name);
        config.connect(NoTls).unwrap()
    }

    pub(crate) fn run(&self, sql: &str) {
        self.client().batch_execute(sql).unwrap();
    }
}
