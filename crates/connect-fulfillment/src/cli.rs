use std::{
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use connect_runner::Declaration;
use connect_sandbox::{Recorder, command_line::Contents};
use tracing::error;
use tracing_subscriber::{Layer, filter::LevelFilter};

use crate::{
    Extension, check,
    dev::Dev,
    logging::{self, LogFormat},
    run::{self, Observation},
};

/// An extension of CloudBlue Connect.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Log what only a developer wants to know.
    #[arg(short, long, global = true)]
    debug: bool,
    /// How log lines look; by default for people on a terminal, JSON otherwise.
    #[arg(long, global = true, value_enum)]
    log_format: Option<LogFormat>,
    /// Run without asking Connect first whether its events are those of the extension.
    #[arg(short, long, global = true)]
    no_validate: bool,
    /// Answer `/healthz`, `/readyz` and `/metrics` of `run` here, such as 0.0.0.0:9090.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    probe_addr: Option<SocketAddr>,
    /// Connect without TLS where `SERVER_ADDRESS` does not say.
    #[arg(short, long, global = true)]
    unsecure: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Connect to Connect and process tasks (the default).
    Run,
    /// Start a sandbox in this process and run against it.
    Dev {
        #[command(flatten)]
        contents: Contents,
        /// Where the sandbox listens, with its console: an IP address and a port.
        #[arg(long, default_value = "127.0.0.1:0")]
        address: String,
        /// How much faster time goes.
        #[arg(long, default_value_t = 60.0)]
        speed: f64,
        /// End when every request is settled.
        #[arg(long)]
        once: bool,
        /// Build and start again when the package's sources change.
        #[cfg(feature = "watch")]
        #[arg(long)]
        watch: bool,
        /// The shell command that builds, in place of `cargo build` with the default features.
        #[cfg(feature = "watch")]
        #[arg(long, value_name = "COMMAND", requires = "watch")]
        build: Option<String>,
    },
    /// Check the declaration, the descriptor and the container; and, where `API_KEY` is set, the events against Connect.
    Check {
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Without asking Connect.
        #[arg(long)]
        offline: bool,
    },
    /// Show what the extension handles.
    Describe {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// The main function of an extension: its command line, and the process behind it.
///
/// ```no_run
/// use std::process::ExitCode;
/// use connect_fulfillment::{Descriptor, Extension};
///
/// fn extension() -> Extension {
///     Extension::new(Descriptor::default())
/// }
///
/// fn main() -> ExitCode {
///     connect_fulfillment::main(extension)
/// }
/// ```
///
/// `run` (the default) connects to Connect, `dev` starts a sandbox in this process and runs against it, `check`
/// validates the extension, `describe` shows what is handled. The exit code is 0 at an orderly end, 1 where tasks or
/// results were left, 2 where the extension could not start or `check` found errors.
#[must_use]
pub fn main(extension: impl FnOnce() -> Extension) -> ExitCode {
    let mut arguments = Arguments::parse();
    let level = match (arguments.debug, &arguments.command) {
        (true, _) => LevelFilter::DEBUG,
        // What happens is on the screen already.
        (false, Some(Command::Dev { .. })) => LevelFilter::ERROR,
        (false, _) => LevelFilter::INFO,
    };
    let format = LogFormat::or_fitting(arguments.log_format);
    #[cfg(feature = "watch")]
    if let Some(Command::Dev { watch: true, build, .. }) = &mut arguments.command {
        logging::init(level, arguments.debug, format, None);
        return block_on(crate::watch::run(build.take())).unwrap_or_else(|error| {
            report(&*error);
            ExitCode::from(2)
        });
    }
    // It may log while it is made; what logs for good has to know it.
    let extension = logging::meanwhile(level, format, extension);
    let command = arguments.command.take().unwrap_or(Command::Run);
    let recorder = matches!(command, Command::Dev { .. }).then(Recorder::default);
    if !matches!(command, Command::Run) {
        let layer = recorder.as_ref().map(|recorder| recorder.layer().boxed());
        logging::init(level, arguments.debug, format, layer);
    }
    let end = match command {
        Command::Run => {
            let observation = Observation::begin(&extension, level, arguments.debug, format);
            let options = run::Options {
                unsecure: arguments.unsecure,
                validate: !arguments.no_validate,
                probe_addr: arguments.probe_addr,
            };
            block_on(run::run(extension, options, observation))
        }
        Command::Dev { contents, address, speed, once, .. } => {
            let dev = Dev::new(extension).recorder(recorder.unwrap_or_default()).address(address);
            let dev = dev.speed(speed).once(once).sandbox(|sandbox| contents.apply(sandbox));
            block_on(async { Ok(dev.run().await) })
        }
        Command::Check { json, offline } => block_on(check(&extension, json, offline, arguments.unsecure)),
        Command::Describe { json } => {
            describe(&extension.declaration(), json, io::stdout().lock()).map(|()| ExitCode::SUCCESS)
        }
    };
    end.unwrap_or_else(|error| {
        report(&*error);
        ExitCode::from(2)
    })
}

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn block_on(future: impl Future<Output = Result<ExitCode, BoxError>>) -> Result<ExitCode, BoxError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}

/// Says why the extension did not start: as a log line where logs are JSON, plainly where people read them.
fn report(error: &dyn std::error::Error) {
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "error: {error}");
    } else {
        error!("{error}");
    }
}

async fn check(
    extension: &Extension,
    json: bool,
    offline: bool,
    unsecure: bool,
) -> Result<ExitCode, BoxError> {
    let report = check::Report::of(extension, offline, unsecure).await?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(out, "{}", report.text())?;
    }
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Writes what is handled, for people or as JSON.
pub(crate) fn describe(declaration: &Declaration, json: bool, mut out: impl Write) -> Result<(), BoxError> {
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(declaration)?)?;
        return Ok(());
    }
    writeln!(out, "{} {}", declaration.name, declaration.version)?;
    let widest = declaration.events.iter().map(|event| event.event.len()).max().unwrap_or(0);
    for event in &declaration.events {
        writeln!(out, "  {:<12} {:<widest$}  {}", event.category, event.event, event.detail)?;
    }
    if !declaration.variables.is_empty() {
        writeln!(out, "  variables    {}", declaration.variables.join(", "))?;
    }
    Ok(())
}
