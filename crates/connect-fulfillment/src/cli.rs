use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use connect_runner::{Declaration, Environment, Runner};
use connect_sandbox::Recorder;
use tokio::sync::watch;
use tracing::{error, warn};

use crate::{
    Extension,
    dev::Dev,
    logging::{self, LogFormat},
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
        /// Asset requests: a JSON file, or a folder of them. Can be given several times.
        #[arg(long = "requests", value_name = "FILE_OR_FOLDER")]
        requests: Vec<PathBuf>,
        /// Where the sandbox listens, with its console: an IP address and a port.
        #[arg(long, default_value = "127.0.0.1:0")]
        address: String,
        /// How much faster time goes.
        #[arg(long, default_value_t = 60.0)]
        speed: f64,
        /// End when every request is settled.
        #[arg(long)]
        once: bool,
    },
    /// Check the declaration and the container, without connecting to anything.
    Check,
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
/// validates the declaration and the container, `describe` shows what is handled. The exit code is 0 at an orderly
/// end, 1 where tasks or results were left, 2 where the extension could not start.
#[must_use]
pub fn main(extension: impl FnOnce() -> Extension) -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments.command.unwrap_or(Command::Run);
    let level = match (arguments.debug, &command) {
        (true, _) => "debug",
        // What happens is on the screen already.
        (false, Command::Dev { .. }) => "error",
        (false, _) => "info",
    };
    let recorder = matches!(command, Command::Dev { .. }).then(Recorder::default);
    logging::init(level, arguments.log_format, recorder.as_ref());
    let extension = extension();
    let end = match command {
        Command::Run => block_on(run(extension, arguments.unsecure)),
        Command::Dev { requests, address, speed, once } => {
            let dev = Dev::new(extension).recorder(recorder.unwrap_or_default()).address(address);
            let dev = dev.speed(speed).once(once);
            let dev = requests.into_iter().fold(dev, Dev::requests);
            block_on(async { Ok(dev.run().await) })
        }
        Command::Check => extension.check().map_err(Into::into).and_then(|()| {
            writeln!(io::stdout(), "the extension is declared right, and the container has all it needs")?;
            Ok(ExitCode::SUCCESS)
        }),
        Command::Describe { json } => describe(&extension.declaration(), json).map(|()| ExitCode::SUCCESS),
    };
    end.unwrap_or_else(|error| {
        report(&*error);
        ExitCode::from(2)
    })
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

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

async fn run(extension: Extension, unsecure: bool) -> Result<ExitCode, BoxError> {
    let environment = Environment::from_env(unsecure)?;
    let runner = Runner::new(extension.into(), environment)?;
    let (stop, force) = signals()?;
    let exit = runner.run_until(stop, force).await;
    Ok(if exit.unfinished == 0 && exit.unsent == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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

fn describe(declaration: &Declaration, json: bool) -> Result<(), BoxError> {
    let mut out = io::stdout().lock();
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
