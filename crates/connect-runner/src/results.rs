//! Results that outlive the process, in a SQLite file.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    thread::JoinHandle,
};

use rusqlite::{Connection, params};
use tracing::error;

use crate::{
    Error, ErrorKind,
    outbox::{Kept, ResultStore},
    tasks::Lane,
};

/// How many changes are written in one go.
const BATCH: usize = 1_000;

/// The file, and the thread that writes it.
///
/// It is written a moment after the task ended: what the operating system has survives the end of the process in any way,
/// `kill -9` included. A result that was not written by then is one of a task that Connect sends again.
#[derive(Debug)]
pub(crate) struct Results {
    to: Sender<Change>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Change {
    Keep {
        lane: Lane,
        number: u64,
        task_id: String,
        frame: String,
    },
    Forget {
        lane: Lane,
        up_to: u64,
    },
    /// The last one: whatever comes behind it is of a task that did not end in time.
    Close,
}

/// Where one connection keeps its results, and those that were kept before.
type LaneResults = (Box<dyn ResultStore>, Vec<Kept>);

/// What one connection keeps.
struct LaneStore {
    lane: Lane,
    to: Sender<Change>,
}

impl ResultStore for LaneStore {
    fn keep(&self, number: u64, task_id: &str, frame: &str) {
        let change =
            Change::Keep { lane: self.lane, number, task_id: task_id.to_owned(), frame: frame.to_owned() };
        // The thread ends with the process only.
        let _ = self.to.send(change);
    }

    fn forget(&self, up_to: u64) {
        let _ = self.to.send(Change::Forget { lane: self.lane, up_to });
    }
}

fn unusable(path: &Path) -> impl Fn(rusqlite::Error) -> Error + '_ {
    move |error| {
        let what = if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) {
            format!(
                "the file of results {} is in use by another process: give each its own INSTANCE_ID or RESULTS_DIR",
                path.display()
            )
        } else {
            format!("the file of results {} can't be used (RESULTS_DIR)", path.display())
        };
        Error::because(ErrorKind::Results, what, error)
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(2))?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS results (
            lane TEXT NOT NULL, number INTEGER NOT NULL, task_id TEXT NOT NULL, frame TEXT NOT NULL,
            PRIMARY KEY (lane, number)
        ) WITHOUT ROWID",
    )?;
    // Takes the file for this process alone.
    connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
    Ok(connection)
}

fn kept(connection: &Connection, lane: Lane) -> rusqlite::Result<Vec<Kept>> {
    let mut select =
        connection.prepare("SELECT number, task_id, frame FROM results WHERE lane = ? ORDER BY number")?;
    let rows = select.query_map([lane.as_str()], |row| {
        let number: i64 = row.get(0)?;
        Ok(Kept { number: number.cast_unsigned(), task_id: row.get(1)?, frame: row.get(2)? })
    })?;
    rows.collect()
}

impl Results {
    /// Opens the file of an environment's instance in a folder, and gives what it holds for each connection.
    pub(crate) fn open(
        folder: &Path,
        environment_id: &str,
        instance_id: &str,
    ) -> Result<(Self, [LaneResults; 2]), Error> {
        let instance: String =
            instance_id.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
        let path: PathBuf = folder.join(format!("results-{environment_id}-{instance}.sqlite3"));
        std::fs::create_dir_all(folder).map_err(|error| {
            let what = format!("the folder of results {} can't be made (RESULTS_DIR)", folder.display());
            Error::because(ErrorKind::Results, what, error)
        })?;
        let connection = open(&path).map_err(unusable(&path))?;
        let mut found = Vec::new();
        for lane in Lane::ALL {
            found.push(kept(&connection, lane).map_err(unusable(&path))?);
        }
        let (to, changes) = channel();
        let thread = std::thread::Builder::new()
            .name("results".to_owned())
            .spawn(move || write(connection, &changes))
            .map_err(|error| {
                Error::because(ErrorKind::Results, "no thread can be started for results", error)
            })?;
        let mut found = found.into_iter();
        let lanes = Lane::ALL.map(|lane| {
            let store: Box<dyn ResultStore> = Box::new(LaneStore { lane, to: to.clone() });
            (store, found.next().unwrap_or_default())
        });
        Ok((Self { to, thread: Some(thread) }, lanes))
    }
}

impl Drop for Results {
    /// Waits until all is written.
    fn drop(&mut self) {
        let _ = self.to.send(Change::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(mut connection: Connection, changes: &Receiver<Change>) {
    let mut failures = 0_u64;
    while let Ok(first) = changes.recv() {
        let mut batch: Vec<Change> =
            std::iter::once(first).chain(changes.try_iter().take(BATCH - 1)).collect();
        let close = batch.iter().position(|change| matches!(change, Change::Close));
        batch.truncate(close.unwrap_or(BATCH));
        if let Err(error) = apply(&mut connection, &batch) {
            failures += 1;
            // The disk may be full: the results are in memory still, and go to Connect from there.
            if failures.is_power_of_two() {
                error!(failures, "results are not kept over a crash at the moment: {error}");
            }
        }
        if close.is_some() {
            return;
        }
    }
}

fn apply(connection: &mut Connection, batch: &[Change]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for change in batch {
        match change {
            Change::Keep { lane, number, task_id, frame } => transaction
                .prepare_cached("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)")?
                .execute(params![lane.as_str(), number.cast_signed(), task_id, frame])?,
            Change::Forget { lane, up_to } => transaction
                .prepare_cached("DELETE FROM results WHERE lane = ? AND number <= ?")?
                .execute(params![lane.as_str(), up_to.cast_signed()])?,
            Change::Close => 0,
        };
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Outbox;

    #[test]
    fn results_outlive_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Results::open(&folder.path().join("new"), "ENV-1", "host/1");
        let (results, [(background, none), (interactive, _)]) = open().unwrap();
        assert!(none.is_empty());
        let outbox = Outbox::kept(background, none);
        outbox.put("TQ-1", "one".to_owned(), true);
        outbox.put("TQ-2", "two".to_owned(), true);
        outbox.put("TQ-3", "three".to_owned(), true);
        outbox.sent(1);
        outbox.confirmed(0);
        interactive.keep(0, "TQ-9", "nine");
        let error = open().err().unwrap().to_string();
        assert!(error.contains("in use by another process"), "{error}");
        drop((outbox, interactive, results));

        let (_results, [(background, kept), (_, other)]) = open().unwrap();
        assert_eq!(kept.iter().map(|kept| kept.frame.as_str()).collect::<Vec<_>>(), ["two", "three"]);
        assert_eq!(other[0].task_id, "TQ-9");
        let outbox = Outbox::kept(background, kept);
        outbox.put("TQ-4", "four".to_owned(), true);
        assert_eq!(outbox.len(), 3);
    }

    #[test]
    fn a_folder_that_can_not_be_used_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Results::open(file.path(), "ENV-1", "a").err().unwrap();
        assert!(error.to_string().contains("RESULTS_DIR"), "{error}");
    }
}
