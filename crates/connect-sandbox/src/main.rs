//! The sandbox as a program: `connect-sandbox --requests FOLDER`.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use connect_sandbox::{Sandbox, command_line::Contents};

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
    /// The key to take of the distributor, who orders; by default that of the environment variable
    /// `DISTRIBUTOR_API_KEY`, or else one that is made up.
    #[arg(long)]
    distributor_key: Option<String>,
    /// Serve the console although the address is not on loopback. It asks for no key: whoever reaches it can use it.
    #[arg(long)]
    console: bool,
    /// How much faster time goes.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    #[command(flatten)]
    contents: Contents,
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
    if let Some(key) = arguments.distributor_key.or_else(|| std::env::var("DISTRIBUTOR_API_KEY").ok()) {
        builder = builder.distributor_key(key);
    }
    if arguments.console {
        builder = builder.console(true);
    }
    let sandbox = arguments.contents.apply(builder).start().await?;
    // A reader that is gone (`| head`) is no reason to stop.
    if let Err(error) = introduce(&sandbox) {
        tracing::warn!("nobody reads what a runner needs: {error}");
    }
    stopped().await?;
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
    writeln!(out, "\nWhoever orders by REST, as a distributor, has a key of its own:\n")?;
    export(&mut out, vec![("DISTRIBUTOR_API_KEY".to_owned(), sandbox.distributor_key().to_owned())])?;
    writeln!(out)?;
    out.flush()
}

/// Waits for who ends it: a person, or a supervisor.
async fn stopped() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            end = tokio::signal::ctrl_c() => end,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn export(out: &mut impl Write, variables: Vec<(String, String)>) -> std::io::Result<()> {
    for (name, value) in variables {
        // In the quotes of a shell, a quote is written '\''.
        writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''"))?;
    }
    Ok(())
}
