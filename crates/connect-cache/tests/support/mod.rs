//! Real servers, each in a folder of its own and on a free port, started and stopped by the test.

use std::{
    env, fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) folder: TempDir,
    program: PathBuf,
    arguments: Vec<String>,
    /// PostgreSQL leaves its workers behind where it can't say goodbye.
    kill: &'static str,
    child: Option<Child>,
}

/// A program; `None` where it is missing, which in continuous integration is an error.
#[allow(clippy::print_stderr, reason = "who runs the tests should know")]
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    folders.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        assert!(env::var_os("CI").is_none(), "{name} is not installed: .ci/run says how");
        eprintln!("{name} is not installed, so nothing is tested against it");
    }
    found
}

/// A user that the servers run as where this is root, which some of them refuse to be.
fn nobody() -> Option<(u32, u32)> {
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with("nobody:"))?;
    let mut fields = user.split(':').skip(2).map(|id| id.parse().unwrap());
    root.then(|| (fields.next().unwrap(), fields.next().unwrap()))
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null());
    if let Some((user, group)) = nobody() {
        command.uid(user).gid(group);
    }
    command
}

/// Runs a program to its end.
fn run(program: &Path, arguments: &[&str]) {
    let output = command(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
}

fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("cache-").tempdir().unwrap();
    give(folder.path());
    folder
}

/// Gives a file to the user that the servers run as.
fn give(path: &Path) {
    if let Some((user, group)) = nobody() {
        std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    fn new(program: PathBuf, folder: TempDir, port: u16, arguments: Vec<String>, kill: &'static str) -> Self {
        let mut server = Self { port, folder, program, arguments, kill, child: None };
        server.start();
        server
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn start(&mut self) {
        let log =
            || fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let since = Instant::now();
        loop {
            let mut child =
                command(&self.program).args(&self.arguments).stdout(log()).stderr(log()).spawn().unwrap();
            while child.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                    self.child = Some(child);
                    return;
                }
                assert!(since.elapsed() < PATIENCE, "{} does not listen", self.program.display());
                thread::sleep(Duration::from_millis(20));
            }
            // The one before it may not be gone altogether.
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(since.elapsed() < PATIENCE / 4, "{} ends: {log}", self.program.display());
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Ends it without a warning.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").args([self.kill, &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }

    /// Redis or Valkey with a user `cache` whose password is `canary`; more arguments follow.
    pub(crate) fn redis(name: &str, more: &[&str]) -> Option<Self> {
        let (program, folder, port) = (program(name)?, folder(), free_port());
        let (dir, port_text) = (folder.path().display().to_string(), port.to_string());
        let common =
            ["--port", &port_text, "--bind", "127.0.0.1", "--dir", &dir, "--save", "", "--appendonly", "no"];
        let user = ["--user", "cache", "on", ">canary", "~*", "&*", "+@all"];
        let arguments = common.iter().chain(&user).chain(more).map(|text| (*text).to_owned()).collect();
        Some(Self::new(program, folder, port, arguments, "-KILL"))
    }

    pub(crate) fn memcached() -> Option<Self> {
        let (program, folder, port) = (program("memcached")?, folder(), free_port());
        let arguments = ["-p", &port.to_string(), "-l", "127.0.0.1", "-U", "0"].map(str::to_owned).to_vec();
        Some(Self::new(program, folder, port, arguments, "-KILL"))
    }

    /// With a user `cache` whose password is `canary`, and a database `postgres`.
    pub(crate) fn postgres() -> Option<Self> {
        let (initdb, program, folder, port) =
            (program("initdb")?, program("postgres")?, folder(), free_port());
        let (data, password) = (folder.path().join("data"), folder.path().join("password"));
        fs::write(&password, "canary").unwrap();
        give(&password);
        let (data, password) = (data.to_str().unwrap(), password.to_str().unwrap());
        run(
            &initdb,
            &[
                "-D",
                data,
                "-U",
                "cache",
                "-A",
                "scram-sha-256",
                "--pwfile",
                password,
                "-E",
                "UTF8",
                "--no-sync",
            ],
        );
        let socket = folder.path().display().to_string();
        let port_text = port.to_string();
        let arguments =
            ["-D", data, "-p", &port_text, "-k", &socket, "-c", "listen_addresses=127.0.0.1", "-F"];
        let arguments = arguments.map(str::to_owned).to_vec();
        Some(Self::new(program, folder, port, arguments, "-QUIT"))
    }

    /// With a user `cache` whose password is `canary`, and a database `cache`.
    pub(crate) fn mariadb() -> Option<Self> {
        let (install, program) = (program("mariadb-install-db")?, program("mariadbd")?);
        let (folder, port) = (folder(), free_port());
        let data = format!("--datadir={}", folder.path().join("data").display());
        run(
            &install,
            &[
                "--no-defaults",
                &data,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--force",
            ],
        );
        let start = folder.path().join("start.sql");
        let sql = "CREATE DATABASE IF NOT EXISTS cache CHARACTER SET latin1;\n\
                   CREATE USER IF NOT EXISTS 'cache'@'%' IDENTIFIED BY 'canary';\n\
                   GRANT ALL ON cache.* TO 'cache'@'%';\n";
        fs::write(&start, sql).unwrap();
        give(&start);
        let arguments = [
            "--no-defaults".to_owned(),
            data,
            format!("--port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--socket={}", folder.path().join("socket").display()),
            format!("--init-file={}", start.display()),
            "--innodb-flush-log-at-trx-commit=0".to_owned(),
            "--innodb-buffer-pool-size=32M".to_owned(),
        ];
        Some(Self::new(program, folder, port, arguments.to_vec(), "-KILL"))
    }

    /// Three Redis servers that share the keys among them.
    pub(crate) fn redis_cluster() -> Option<Vec<Self>> {
        let more = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
        let nodes: Vec<Self> = (0..3).map(|_| Self::redis("redis-server", &more)).collect::<Option<_>>()?;
        for (node, slots) in nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
            node.say(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
            nodes[0].say(&format!("CLUSTER MEET 127.0.0.1 {}", node.port));
        }
        let since = Instant::now();
        let ready = |node: &Self| {
            let info = node.say("CLUSTER INFO");
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        };
        while !nodes.iter().all(ready) {
            assert!(since.elapsed() < PATIENCE, "the cluster does not form");
            thread::sleep(Duration::from_millis(50));
        }
        Some(nodes)
    }

    /// Sends one command of Redis, and returns what comes back.
    fn say(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(!answer.starts_with('-'), "{command}: {answer}");
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
