//! What goes wrong on purpose.

use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::SandboxError;

/// The longest wait of a call.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Something that goes wrong: a call of REST, or the delivery of a task.
///
/// ```
/// use std::time::Duration;
/// use connect_sandbox::{Fault, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_sandbox::SandboxError> {
/// let sandbox = Sandbox::start().await?;
/// // The next two approvals are answered with 503, and nothing is done.
/// sandbox.inject(Fault::call("requests/*/approve").method("POST").status(503).times(2))?;
/// // Every tenth call takes a second longer.
/// sandbox.inject(Fault::call("**").latency(Duration::from_secs(1)).chance(0.1))?;
/// // The next task comes twice.
/// sandbox.inject(Fault::delivered_twice().times(1))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "nothing goes wrong until it is injected"]
pub struct Fault {
    /// The path of calls, below `/public/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    done: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<Delivery>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chance: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Delivery {
    Lost,
    Twice,
}

/// A file of faults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    maintenance: bool,
    #[serde(default)]
    faults: Vec<Fault>,
}

impl Fault {
    fn new() -> Self {
        Self {
            call: None,
            method: None,
            status: None,
            done: false,
            latency_ms: None,
            delivery: None,
            event: None,
            times: None,
            chance: None,
        }
    }

    /// Calls of a path below `/public/v1`: `*` stands for one segment, `**` at the end for all that follow.
    pub fn call(path: impl Into<String>) -> Self {
        Self { call: Some(path.into()), ..Self::new() }
    }

    /// Tasks that are sent and do not arrive: they come again when their time is over.
    pub fn delivery_lost() -> Self {
        Self { delivery: Some(Delivery::Lost), ..Self::new() }
    }

    /// Tasks that arrive twice.
    pub fn delivered_twice() -> Self {
        Self { delivery: Some(Delivery::Twice), ..Self::new() }
    }

    /// Calls of this method alone.
    pub fn method(self, method: impl Into<String>) -> Self {
        Self { method: Some(method.into()), ..self }
    }

    /// The status that calls are answered with, 400 to 599; nothing is done, unless it is [done](Self::done) all the same.
    pub fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// What is called for is done, and only its answer is lost.
    pub fn done(self) -> Self {
        Self { done: true, ..self }
    }

    /// How much longer calls take, up to an hour; in milliseconds.
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency_ms: Some(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)), ..self }
    }

    /// Tasks of this event alone.
    pub fn event(self, event: impl Into<String>) -> Self {
        Self { event: Some(event.into()), ..self }
    }

    /// How often it goes wrong; always without.
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// In how many cases it goes wrong, from 0 to 1; in all without.
    pub fn chance(self, chance: f64) -> Self {
        Self { chance: Some(chance), ..self }
    }

    /// What can't be is told.
    fn check(&self) -> Result<(), SandboxError> {
        let problem = match (&self.call, self.delivery) {
            (None, None) => Some("it needs a call or a delivery"),
            (Some(_), Some(_)) => Some("it is a call or a delivery, not both"),
            (Some(_), None) if self.status.is_none() && self.latency_ms.is_none() => {
                Some("a call needs a status or a latency")
            }
            (Some(_), None) if self.event.is_some() => Some("an event is about deliveries"),
            (None, Some(_))
                if self.method.is_some() || self.status.is_some() || self.latency_ms.is_some() =>
            {
                Some("method, status and latency are about calls")
            }
            _ if self.status.is_some_and(|status| !(400..=599).contains(&status)) => {
                Some("the status is not from 400 to 599")
            }
            _ if self.latency_ms.is_some_and(|wait| Duration::from_millis(wait) > LONGEST) => {
                Some("the latency is longer than an hour")
            }
            _ if self.chance.is_some_and(|chance| !(chance > 0.0 && chance <= 1.0)) => {
                Some("the chance is not above 0 and at most 1")
            }
            _ if self.times == Some(0) => Some("it goes wrong no time"),
            _ => None,
        };
        problem.map_or(Ok(()), |problem| Err(SandboxError::Fault(problem.to_owned())))
    }

    fn is_of(&self, method: &str, path: &str) -> bool {
        let Some(pattern) = &self.call else { return false };
        self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method)) && matches(pattern, path)
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        match (part, segments.next()) {
            ("**", _) => return true,
            ("*", Some(_)) => {}
            (part, Some(segment)) if part == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) latency: Duration,
    pub(crate) status: Option<u16>,
    pub(crate) done: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Chaos {
    faults: Mutex<Vec<Fault>>,
    maintenance: AtomicBool,
}

impl Chaos {
    pub(crate) fn inject(&self, fault: Fault) -> Result<(), SandboxError> {
        fault.check()?;
        self.faults().push(fault);
        Ok(())
    }

    /// Reads a file of them.
    pub(crate) fn load(&self, path: &Path) -> Result<(), SandboxError> {
        let failed = |reason: String| SandboxError::Chaos { path: path.to_owned(), reason };
        let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let file: File = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
        for (number, fault) in file.faults.into_iter().enumerate() {
            self.inject(fault).map_err(|error| failed(format!("fault {}: {error}", number + 1)))?;
        }
        self.set_maintenance(file.maintenance);
        Ok(())
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_maintenance(&self, is_on: bool) {
        self.maintenance.store(is_on, Ordering::Relaxed);
    }

    pub(crate) fn maintenance(&self) -> bool {
        self.maintenance.load(Ordering::Relaxed)
    }

    /// Counts down the faults that this one meets, and keeps those that are not used up.
    fn meet(&self, is_met: impl Fn(&Fault) -> bool, mut met: impl FnMut(&Fault)) {
        self.faults().retain_mut(|fault| {
            let happens = is_met(fault) && fault.chance.is_none_or(|chance| fastrand::f64() < chance);
            if happens {
                met(fault);
                fault.times = fault.times.map(|times| times.saturating_sub(1));
            }
            fault.times != Some(0)
        });
    }

    /// What goes wrong with a call: all waits, and the first status.
    pub(crate) fn call(&self, method: &str, path: &str) -> Broken {
        let mut broken = Broken::default();
        let is_met = |fault: &Fault| fault.is_of(method, path);
        self.meet(is_met, |fault| {
            broken.latency += Duration::from_millis(fault.latency_ms.unwrap_or_default());
            if broken.status.is_none() {
                (broken.status, broken.done) = (fault.status, fault.done);
            }
        });
        broken
    }

    /// How often a task is sent.
    pub(crate) fn delivery(&self, event: &str) -> usize {
        let mut copies = 1;
        let is_met =
            |fault: &Fault| fault.delivery.is_some() && fault.event.as_ref().is_none_or(|own| own == event);
        self.meet(is_met, |fault| match fault.delivery {
            Some(Delivery::Lost) => copies = 0,
            Some(Delivery::Twice) => copies *= 2,
            None => {}
        });
        copies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_matched_by_segments() {
        for (pattern, path, expected) in [
            ("requests/*/approve", "requests/PR-1/approve", true),
            ("requests/*/approve", "requests/PR-1/fail", false),
            ("requests/*/approve", "requests/PR-1", false),
            ("requests", "requests", true),
            ("requests", "requests/PR-1", false),
            ("requests/**", "requests/PR-1/approve", true),
            ("**", "devops/services", true),
            ("/requests/", "requests", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_fault_is_used_up() {
        let chaos = Chaos::default();
        chaos.inject(Fault::call("requests").method("get").status(503).times(2)).unwrap();
        chaos.inject(Fault::call("**").latency(Duration::from_millis(5))).unwrap();
        let slow = Broken { latency: Duration::from_millis(5), ..Broken::default() };
        assert_eq!(chaos.call("POST", "requests"), slow);
        for expected in [Some(503), Some(503), None] {
            assert_eq!(chaos.call("GET", "requests").status, expected);
        }
        chaos.inject(Fault::delivery_lost().event("a").times(1)).unwrap();
        chaos.inject(Fault::delivered_twice()).unwrap();
        assert_eq!([chaos.delivery("b"), chaos.delivery("a"), chaos.delivery("a")], [2, 0, 2]);
    }

    #[test]
    fn what_can_not_be_is_told() {
        for (fault, problem) in [
            (Fault::call("x"), "a status or a latency"),
            (Fault::call("x").status(200), "400 to 599"),
            (Fault::call("x").status(500).chance(1.5), "at most 1"),
            (Fault::call("x").status(500).chance(f64::NAN), "at most 1"),
            (Fault::call("x").status(500).times(0), "no time"),
            (Fault::call("x").latency(Duration::MAX), "an hour"),
            (Fault::call("x").status(500).event("e"), "deliveries"),
            (Fault::delivery_lost().status(500), "calls"),
        ] {
            let error = Chaos::default().inject(fault).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_file_is_read_or_told_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chaos.json");
        let load = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let chaos = Chaos::default();
            chaos.load(&file).map(|()| chaos)
        };
        let chaos = load(
            r#"{"maintenance": true, "faults": [{"call": "requests/*", "status": 429, "times": 3},
                {"delivery": "twice", "chance": 0.5}]}"#,
        )
        .unwrap();
        assert!(chaos.maintenance());
        assert_eq!(chaos.faults().len(), 2);
        for (text, problem) in [
            ("{", "chaos.json"),
            (r#"{"fault": []}"#, "unknown field"),
            (r#"{"faults": [{"call": "x", "stats": 500}]}"#, "unknown field"),
            (r#"{"faults": [{"call": "x", "status": 500}, {"call": "x", "status": 99}]}"#, "fault 2"),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains("chaos.json"), "{error}");
        }
    }
}
