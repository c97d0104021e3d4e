//! Servers that are launched here, each as the head of a process group, so that its workers end with it. Whoever ends
//! this process ends them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::http::Client;
use super::problem::{Kind, Problem};
use crate::rules::schema::servers::Servers;

/// What is launched.
pub struct Launch<'l> {
    /// Program and its arguments.
    pub command: &'l [String],
    /// Variables put into its environment.
    pub env: &'l BTreeMap<String, String>,
    /// Where its output goes.
    pub log: &'l Path,
    /// URL at which it will answer.
    pub url: &'l str,
    /// Longest wait for that.
    pub ready: Duration,
}

/// A server that was launched; when this goes away, it is ended.
pub struct Launched {
    head: Arc<Head>,
    log: PathBuf,
}

/// The head of a group, and how long it has to clean up.
struct Head {
    child: Mutex<Child>,
    longest: Duration,
    poll: Duration,
}

/// Passed by every launch and every end; shut for good when the process is about to end.
static GATE: Mutex<()> = Mutex::new(());
static ALL: Mutex<Vec<Arc<Head>>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Launched {
    /// Launches a server and waits until it answers; `say` hears how long that takes.
    pub fn start(launch: &Launch, servers: &Servers, mut say: impl FnMut(&str)) -> Result<Self, Problem> {
        let (waits, messages) = (&servers.common.waits, &servers.common.messages);
        let wrong = |text: String| Problem { kind: Kind::Usage, say: text, fix: None };
        let client = Client::new(launch.url, None, waits.connect()).map_err(wrong)?;
        let answers = || client.get(&servers.common.ready, waits.probe());
        if answers().is_ok() {
            return Err(Problem::new(&messages.port_taken, &[("url", launch.url)]));
        }
        let shown = launch.command.first().map_or("", String::as_str);
        let launched = Self::spawn(launch, waits.end(), waits.poll()).map_err(|error| {
            Problem::new(&messages.launch_failed, &[("command", shown), ("reason", &error.to_string())])
        })?;
        let log = launch.log.display().to_string();
        let begun = Instant::now();
        loop {
            if let Some(status) = launched.ended() {
                let (status, last) = (status.to_string(), last_line(&launched.log));
                let holes = [("status", status.as_str()), ("log", log.as_str()), ("last", last.as_str())];
                return Err(Problem::new(&messages.launch_died, &holes));
            }
            // A key is asked for by a server that is there.
            if answers().is_ok_and(|answer| answer.status < 500 && answer.status != 404) {
                return Ok(launched);
            }
            if begun.elapsed() >= launch.ready {
                let (seconds, last) = (launch.ready.as_secs().to_string(), last_line(&launched.log));
                let holes = [
                    ("url", launch.url),
                    ("seconds", seconds.as_str()),
                    ("log", log.as_str()),
                    ("last", last.as_str()),
                ];
                return Err(Problem::new(&messages.launch_not_ready, &holes));
            }
            say(&format!("waiting for {}: {} s", launch.url, begun.elapsed().as_secs()));
            std::thread::sleep(waits.poll());
        }
    }

    fn spawn(launch: &Launch, longest: Duration, poll: Duration) -> io::Result<Self> {
        let (program, arguments) =
            launch.command.split_first().ok_or_else(|| io::Error::other("there is no command"))?;
        if let Some(folder) = launch.log.parent() {
            fs::create_dir_all(folder)?;
        }
        let out = File::create(launch.log)?;
        let mut command = Command::new(program);
        command.args(arguments).envs(launch.env).stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let _gate = lock(&GATE);
        let head = Arc::new(Head { child: Mutex::new(command.spawn()?), longest, poll });
        lock(&ALL).push(Arc::clone(&head));
        Ok(Self { head, log: launch.log.to_owned() })
    }

    fn ended(&self) -> Option<ExitStatus> {
        lock(&self.head.child).try_wait().ok().flatten()
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        // When a signal is ending them all, this process goes no further.
        let _gate = lock(&GATE);
        self.head.end();
        lock(&ALL).retain(|head| !Arc::ptr_eq(head, &self.head));
    }
}

/// Ends all servers that were launched and keeps any other from being launched; the process must end while the guard
/// lives.
pub fn end_launched() -> impl Sized {
    let gate = lock(&GATE);
    let heads = lock(&ALL).clone();
    for head in &heads {
        head.end();
    }
    gate
}

/// The same at once, without their own clean-up, for somebody who waits no longer.
pub fn kill_launched() {
    let heads = lock(&ALL).clone();
    for head in &heads {
        group::kill(&head.child);
    }
}

impl Head {
    /// Asks the group to end, and makes it when it takes too long.
    fn end(&self) {
        let begun = Instant::now();
        group::ask(&self.child);
        while group::lives(&self.child) && begun.elapsed() < self.longest {
            std::thread::sleep(self.poll);
        }
        group::kill(&self.child);
        // Nobody is left to be told when even that fails.
        let _ = lock(&self.child).wait();
    }
}

#[cfg(unix)]
mod group {
    use std::process::Child;
    use std::sync::Mutex;

    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

    use super::lock;

    fn id(child: &Mutex<Child>) -> Option<Pid> {
        i32::try_from(lock(child).id()).ok().and_then(Pid::from_raw)
    }

    pub(super) fn ask(child: &Mutex<Child>) {
        // A group that is gone needs no signal.
        let _ = id(child).map(|id| kill_process_group(id, Signal::TERM));
    }

    pub(super) fn kill(child: &Mutex<Child>) {
        let _ = id(child).map(|id| kill_process_group(id, Signal::KILL));
    }

    /// Whether the head or any of its workers is there.
    pub(super) fn lives(child: &Mutex<Child>) -> bool {
        // One that ended is there until somebody takes its status.
        let _ = lock(child).try_wait();
        id(child).is_some_and(|id| test_kill_process_group(id).is_ok())
    }
}

#[cfg(not(unix))]
mod group {
    use std::process::Child;
    use std::sync::Mutex;

    use super::lock;

    pub(super) fn ask(child: &Mutex<Child>) {
        kill(child);
    }

    pub(super) fn kill(child: &Mutex<Child>) {
        // One that ended needs no end.
        let _ = lock(child).kill();
    }

    pub(super) fn lives(child: &Mutex<Child>) -> bool {
        lock(child).try_wait().is_ok_and(|status| status.is_none())
    }
}

/// The last words of a log.
fn last_line(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[text.len().saturating_sub(4096)..]).into_owned();
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it is empty");
    last.chars().filter(|c| !c.is_control()).take(200).collect()
}
