//! The sandbox as a program: `connect-sandbox --requests FOLDER`.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Parser;
use connect_sandbox::Sandbox;

/// A local CloudBlue Connect to develop and test against.
#[derive(Parser)]
#[command(name = "connect-sandbox", version)]
struct Arguments {
    /// Where to listen: an IP address and a port. Other than loopback, whoever reaches it and has the key can use it.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: String,
    /// The key to take, `ApiKey SU-…:…`; by default that of the environment variable `API_KEY`, or else one that is
    /// made up. Whoever is on this machine can see arguments.
    #[arg(long)]
    api_key: Option<String>,
    /// Serve the console although the address is not on loopback. It asks for no key: whoever reaches it can use it.
    #[arg(long)]
    console: bool,
    /// How much faster time goes.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Asset requests: a JSON file, or a folder of them. Can be given several times.
    #[arg(long = "requests", value_name = "FILE_OR_FOLDER")]
    requests: Vec<PathBuf>,
    /// The catalogue to begin with, in place of the default one: a JSON file.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// What Connect's API gave: JSON in a file, or in the files of a folder. Can be given several times.
    #[arg(long = "import", value_name = "FILE_OR_FOLDER")]
    imports: Vec<PathBuf>,
    /// What goes wrong on purpose: a JSON file of faults.
    #[arg(long, value_name = "FILE")]
    chaos: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Sandbox::builder().address(arguments.address).speed(arguments.speed);
    if let Some(key) = arguments.api_key.or_else(|| std::env::var("API_KEY").ok()) {
        builder = builder.api_key(key);
    }
    if arguments.console {
        builder = builder.console(true);
    }
    for path in arguments.requests {
        builder = builder.load_requests(path);
    }
    if let Some(file) = arguments.catalogue {
        builder = builder.catalogue(file);
    }
    for path in arguments.imports {
        builder = builder.import(path);
    }
    if let Some(file) = arguments.chaos {
        builder = builder.load_chaos(file);
    }
    let sandbox = builder.start().await?;
    // A reader that is gone (`| head`) is no reason to stop.
    if let Err(error) = introduce(&sandbox) {
        tracing::warn!("nobody reads what a runner needs: {error}");
    }
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(())
}

fn introduce(sandbox: &Sandbox) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if let Some(console) = sandbox.console_url() {
        writeln!(out, "The console is on {console}")?;
    }
    writeln!(
        out,
        "The sandbox listens on {} and {}. A runner finds it by:\n",
        sandbox.url(),
        sandbox.https_url()
    )?;
    // The key is the sandbox's own, and this is where people get it from.
    export(&mut out, sandbox.environment())?;
    match sandbox.https_environment() {
        Ok(variables) => {
            writeln!(out, "\nOne that speaks https and wss alone, as the original in Python does, by:\n")?;
            export(&mut out, variables)?;
        }
        Err(error) => tracing::warn!("https can be used without its file alone: {error}"),
    }
    writeln!(out)?;
    out.flush()
}

fn export(out: &mut impl Write, variables: Vec<(String, String)>) -> std::io::Result<()> {
    for (name, value) in variables {
        // In the quotes of a shell, a quote is written '\''.
        writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''"))?;
    }
    Ok(())
}
