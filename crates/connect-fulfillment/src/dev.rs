//! Developing: a sandbox and the extension in one process, and on the screen what happens.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use connect_model::wire::ResultType;
use connect_runner::{Environment, Runner, TaskReport};
use connect_sandbox::{Activity, Recorder, Sandbox, SandboxBuilder};
use futures_util::FutureExt;
use serde_json::Value;
use tokio::sync::oneshot;
use tracing_subscriber::{Layer, filter::LevelFilter};

use crate::{
    Extension,
    logging::{self, LogFormat},
    run::{exit_code, signals},
};

/// Runs an extension against a sandbox in the same process.
///
/// ```no_run
/// # async fn run(extension: connect_fulfillment::Extension) -> std::process::ExitCode {
/// use connect_fulfillment::dev::Dev;
///
/// Dev::new(extension).requests("requests").variable("VENDOR_URL", "http://127.0.0.1:9000").speed(60.0).run().await
/// # }
/// ```
#[derive(Debug)]
#[must_use = "it does nothing until it runs"]
pub struct Dev {
    extension: Extension,
    sandbox: SandboxBuilder,
    recorder: Option<Recorder>,
    once: bool,
}

impl Dev {
    /// With an empty sandbox.
    pub fn new(extension: Extension) -> Self {
        Self { extension, sandbox: Sandbox::builder(), recorder: None, once: false }
    }

    /// Loads asset requests: a JSON file, or a folder of them.
    pub fn requests(mut self, path: impl Into<PathBuf>) -> Self {
        self.sandbox = self.sandbox.load_requests(path);
        self
    }

    /// The value of a variable, in place of its initial one.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.sandbox = self.sandbox.variable(name, value);
        self
    }

    /// How much faster time goes; 1 by default.
    pub fn speed(mut self, speed: f64) -> Self {
        self.sandbox = self.sandbox.speed(speed);
        self
    }

    /// Where to listen: an IP address and a port. By default `127.0.0.1` and a free port.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.sandbox = self.sandbox.address(address);
        self
    }

    /// Sets the sandbox up in any other way: a file that keeps it, a catalogue, faults.
    ///
    /// ```no_run
    /// # fn dev(extension: connect_fulfillment::Extension) -> connect_fulfillment::dev::Dev {
    /// use connect_fulfillment::dev::Dev;
    ///
    /// Dev::new(extension).sandbox(|sandbox| sandbox.catalogue("catalogue.json").file("sandbox.sqlite"))
    /// # }
    /// ```
    pub fn sandbox(mut self, change: impl FnOnce(SandboxBuilder) -> SandboxBuilder) -> Self {
        self.sandbox = change(self.sandbox);
        self
    }

    /// What the extension logs to, for a program with a subscriber of its own that has this one's
    /// [layer](Recorder::layer): the console shows it. Where there is no subscriber, one is set that has.
    pub fn recorder(mut self, recorder: Recorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Ends when every request is settled, rather than staying up.
    pub fn once(mut self, once: bool) -> Self {
        self.once = once;
        self
    }

    /// Runs until SIGINT or SIGTERM, or with [`once`](Self::once) until every request is settled.
    ///
    /// The exit code is 0 at an orderly end, 1 where tasks or results were left, 2 where it could not start.
    pub async fn run(self) -> ExitCode {
        match self.try_run().await {
            Ok(code) => code,
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: {error}");
                ExitCode::from(2)
            }
        }
    }

    async fn try_run(self) -> Result<ExitCode, Box<dyn std::error::Error + Send + Sync>> {
        let recorder = self.recorder.unwrap_or_else(|| {
            let recorder = Recorder::default();
            let layer = recorder.layer().boxed();
            logging::init(LevelFilter::ERROR, true, LogFormat::or_fitting(None), Some(layer));
            recorder
        });
        let sandbox = self.sandbox.recorder(recorder).start().await?;
        let environment = Environment::from_vars(sandbox.environment(), true)?;
        let screen = Screen { colours: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() };
        let runner =
            Runner::new(self.extension.into(), environment)?.on_task(move |report| screen.task(report));
        line(&format!("sandbox on {}, {} requests", sandbox.url(), sandbox.requests().len()));
        if let Some(console) = sandbox.console_url() {
            line(&format!("console on {console}\n"));
        }
        line(&row("task", "object", "transaction", "result", "time"));
        let (stopped, force) = signals()?;
        let (done, settled) = oneshot::channel();
        let watch = async {
            // From before the first look, so that nothing is missed in between.
            let mut activity = sandbox.subscribe();
            loop {
                sandbox.settled().await;
                line(&format!("\n{}", summary(&sandbox.requests())));
                if self.once {
                    let _ = done.send(());
                    return std::future::pending().await;
                }
                line("(it stays up for more; stop it with Ctrl-C)\n");
                // What led here is told already.
                while activity.try_recv().is_ok() {}
                if sandbox.settled().now_or_never().is_none() {
                    continue;
                }
                while !matches!(activity.recv().await, Ok(Activity::TaskSent { .. })) {}
            }
        };
        let stop = async {
            tokio::select! {
                () = stopped => {}
                Ok(()) = settled => {}
            }
        };
        let exit = tokio::select! {
            exit = runner.run_until(stop, force) => exit,
            () = watch => return Ok(ExitCode::FAILURE),
        };
        sandbox.stop().await;
        Ok(exit_code(exit))
    }
}

/// What people see. A screen that is gone (a closed pipe) is no reason to stop.
#[derive(Clone, Copy)]
struct Screen {
    colours: bool,
}

impl Screen {
    fn task(self, report: &TaskReport) {
        let transaction = report.transaction.as_deref().unwrap_or("-");
        let mut result = match report.result {
            ResultType::Reschedule => format!("reschedule {} s", report.countdown.as_secs()),
            _ => report.result.to_string(),
        };
        if report.compensated.is_some() {
            result.push_str(" (compensated)");
        }
        let time = milliseconds(report.elapsed);
        let mut text = row(&report.task_id, &report.object_id, transaction, &result, &time);
        if let Some(message) = report.message.as_ref().or(report.compensated.as_ref()) {
            text.push_str("  ");
            text.push_str(message.lines().next().unwrap_or_default());
        }
        line(&self.coloured(&report.result, &text));
    }

    fn coloured(self, result: &ResultType, text: &str) -> String {
        let code = match result {
            _ if !self.colours => return text.to_owned(),
            ResultType::Success => "32",
            ResultType::Fail | ResultType::Retry => "31",
            ResultType::Reschedule => "33",
            _ => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

fn line(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn row(task: &str, object: &str, transaction: &str, result: &str, time: &str) -> String {
    format!("{task:<22} {object:<22} {transaction:<22} {result:<27} {time:>9}")
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// `12 requests: 11 approved, 1 failed`
fn summary(requests: &[Value]) -> String {
    let count = |status: &str| requests.iter().filter(|request| request["status"] == status).count();
    let named = [("approved", "approved"), ("failed", "failed"), ("inquiring", "inquired")];
    let mut parts: Vec<String> = named
        .iter()
        .map(|(status, word)| (count(status), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let ended: usize = named.iter().map(|(status, _)| count(status)).sum();
    if requests.len() > ended {
        parts.push(format!("{} open", requests.len() - ended));
    }
    let noun = if requests.len() == 1 { "request" } else { "requests" };
    format!("{} {noun}: {}", requests.len(), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_summary_names_what_there_is() {
        let requests =
            |statuses: &[&str]| statuses.iter().map(|status| json!({"status": status})).collect::<Vec<_>>();
        assert_eq!(
            summary(&requests(&["approved", "failed", "approved"])),
            "3 requests: 2 approved, 1 failed"
        );
        assert_eq!(summary(&requests(&["inquiring"])), "1 request: 1 inquired");
        assert_eq!(summary(&requests(&["approved", "pending"])), "2 requests: 1 approved, 1 open");
    }
}
