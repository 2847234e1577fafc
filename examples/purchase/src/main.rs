//! An example extension with all it needs around it: a sandbox of Connect, a fake of the vendor, twelve real purchases.
//!
//! `cargo run -p purchase` shows what happens and stays up; with `--once` it ends when every request is settled.

mod api;
mod extension;
mod vendor;

use std::process::ExitCode;

use clap::Parser;
use connect_fulfillment::dev::Dev;

/// Processes twelve purchases against a sandbox of Connect and a fake vendor.
#[derive(Parser)]
struct Arguments {
    /// End when every request is settled.
    #[arg(long)]
    once: bool,
    /// How much faster time goes: a reschedule of 30 s takes half a second at 60.
    #[arg(long, default_value_t = 60.0)]
    speed: f64,
    /// Where the sandbox listens, with its console: an IP address and a port, 0 for a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: String,
    /// More requests: a JSON file, or a folder of them.
    #[arg(long = "requests", value_name = "FILE_OR_FOLDER")]
    requests: Vec<std::path::PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let vendor_url = match vendor::serve().await {
        Ok(url) => url,
        Err(error) => {
            connect_fulfillment::prelude::error!("the fake vendor can't be served: {error}");
            return ExitCode::FAILURE;
        }
    };
    let dev = Dev::new(extension::extension())
        .requests(concat!(env!("CARGO_MANIFEST_DIR"), "/requests"))
        .variable("VENDOR_URL", vendor_url)
        .address(arguments.address)
        .speed(arguments.speed)
        .once(arguments.once);
    arguments.requests.into_iter().fold(dev, Dev::requests).run().await
}
