//! `run`: the process as Connect knows it.

use std::{io, net::SocketAddr, pin::pin, process::ExitCode, sync::Arc};

use connect_runner::{Environment, Exit, Finding, Runner};
use tokio::sync::watch;
use tracing::{info, warn};
use tracing_subscriber::filter::LevelFilter;

#[cfg(feature = "telemetry")]
use crate::telemetry::{Telemetry, TelemetryError};
use crate::{
    Extension, check,
    cli::{BoxError, describe},
    logging::{self, LogFormat, Logs},
    probes::{self, Metrics},
};

/// How to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) unsecure: bool,
    pub(crate) validate: bool,
    pub(crate) probe_addr: Option<SocketAddr>,
}

/// What is told about the process while it runs.
#[derive(Debug)]
pub(crate) struct Observation {
    format: LogFormat,
    logs: Logs,
    #[cfg(feature = "telemetry")]
    telemetry: Result<Option<Telemetry>, TelemetryError>,
}

impl Observation {
    /// Begins to log; and to collect spans, where the environment says where they go.
    pub(crate) fn begin(
        extension: &Extension,
        level: LevelFilter,
        is_fixed: bool,
        format: LogFormat,
    ) -> Self {
        #[cfg(feature = "telemetry")]
        {
            let telemetry = Telemetry::new(&extension.declaration(), |name| std::env::var(name).ok());
            let layer = telemetry.as_ref().ok().and_then(|telemetry| telemetry.as_ref()?.layer());
            Self { format, logs: logging::init(level, is_fixed, format, layer), telemetry }
        }
        #[cfg(not(feature = "telemetry"))]
        {
            let _ = extension;
            Self { format, logs: logging::init(level, is_fixed, format, None) }
        }
    }
}

/// Runs until a signal.
pub(crate) async fn run(
    extension: Extension,
    options: Options,
    observation: Observation,
) -> Result<ExitCode, BoxError> {
    let environment = Environment::from_env(options.unsecure)?;
    let declaration = extension.declaration();
    let logs = observation.logs;
    logs.start()?;
    let (followed, known) = (logs.clone(), environment.clone());
    let mut runner = Runner::new(extension.into(), environment)?
        .on_setup(move |response| followed.follow(response, &known));
    if let Some(address) = options.probe_addr {
        let metrics = Arc::new(Metrics::new(&declaration, runner.monitor(), logs.clone()));
        // From before the validation: whoever waits for readiness sees that it is on its way.
        probes::serve(address, runner.monitor(), Arc::clone(&metrics)).await?;
        runner = runner.on_task(move |report| metrics.task(report));
    }
    #[cfg(feature = "telemetry")]
    let telemetry = observation.telemetry?;
    #[cfg(feature = "telemetry")]
    if let Some(telemetry) = &telemetry {
        let count = telemetry.start(&runner.monitor());
        runner = runner.on_task(count);
    }
    let (stop, force) = signals()?;
    let mut stop = pin!(stop);
    if options.validate {
        let findings = tokio::select! {
            findings = runner.validate() => findings,
            () = &mut stop => return Ok(ExitCode::SUCCESS),
        };
        check::log(&findings);
        if findings.iter().any(Finding::is_error) {
            return Err(
                "the extension does not fit what Connect has (--no-validate runs it all the same)".into()
            );
        }
    }
    match observation.format {
        LogFormat::Human => {
            describe(&declaration, false, io::stderr().lock())?;
        }
        LogFormat::Json => {
            let events: Vec<&str> = declaration.events.iter().map(|event| event.event.as_str()).collect();
            info!(version = declaration.version, events = events.join(", "), "starting {}", declaration.name);
        }
    }
    let exit = runner.run_until(stop, force).await;
    logs.flush().await;
    #[cfg(feature = "telemetry")]
    if let Some(telemetry) = telemetry {
        telemetry.shut_down().await;
    }
    Ok(exit_code(exit))
}

/// What the process says about its end.
pub(crate) fn exit_code(exit: Exit) -> ExitCode {
    match exit {
        Exit { start_failed: true, .. } => ExitCode::from(2),
        Exit { unfinished: 0, unsent: 0, .. } => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Two futures: the first SIGINT or SIGTERM, and the second.
pub(crate) fn signals() -> io::Result<(impl Future<Output = ()>, impl Future<Output = ()>)> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (count, counted) = watch::channel(0_u32);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                () = count.closed() => return,
            }
            count.send_modify(|count| *count += 1);
            if *count.borrow() == 1 {
                warn!("stopping; the same signal once more stops at once");
            }
        }
    });
    let nth = |wanted| {
        let mut counted = counted.clone();
        async move {
            // The sender ends with the runtime only.
            let _ = counted.wait_for(|count| *count >= wanted).await;
        }
    };
    Ok((nth(1), nth(2)))
}
