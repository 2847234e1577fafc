use std::{future::Future, time::Duration};

use sqlx::Error;

use crate::CacheError;

/// How long an operation waits for a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections at most, where nobody says.
pub(crate) const DEFAULT_POOL: u32 = 8;
/// A connection that was idle for longer is tried before it is used.
pub(crate) const FRESH: Duration = Duration::from_secs(1);
/// How often an operation is tried where the problem may be gone the next time.
const ATTEMPTS: usize = 3;

/// Does something with a database: makes the table where it is missing, and tries again after what passes: a connection
/// that was lost, a deadlock. All that a cache does can be done twice.
pub(crate) async fn run<T, Do, Doing, Make, Making>(operation: Do, make_table: Make) -> Result<T, CacheError>
where
    Do: Fn() -> Doing,
    Doing: Future<Output = Result<T, Error>>,
    Make: Fn() -> Making,
    Making: Future<Output = Result<(), Error>>,
{
    let mut end = operation().await;
    for _ in 1..ATTEMPTS {
        match &end {
            Err(error) if is_missing_table(error) => make_table().await.map_err(CacheError::storage)?,
            Err(error) if passes(error) => {}
            _ => break,
        }
        end = operation().await;
    }
    end.map_err(CacheError::storage)
}

fn code(error: &Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

fn is_missing_table(error: &Error) -> bool {
    matches!(code(error).as_deref(), Some("42P01" | "42S02"))
}

fn passes(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::WorkerCrashed => true,
        // Deadlocks and serialization failures of both; a server that stops or starts.
        error => matches!(code(error).as_deref(), Some("40001" | "40P01" | "57P01" | "57P02" | "57P03")),
    }
}

pub(crate) fn millis(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn left(millis: i64) -> Option<Duration> {
    u64::try_from(millis).ok().map(Duration::from_millis)
}

/// How many bytes of a name to compare.
pub(crate) fn length(prefix: &str) -> i32 {
    i32::try_from(prefix.len()).unwrap_or(i32::MAX)
}
