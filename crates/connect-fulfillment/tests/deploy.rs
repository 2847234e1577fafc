//! What stands in `deploy/` has to fit the program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{path::Path, time::Duration};

use connect_fulfillment::Environment;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The number behind each place where a text stands.
fn numbers<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = u64> + 'a {
    text.split(before).skip(1).map(|rest| {
        let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().unwrap()
    })
}

#[test]
fn nobody_kills_it_before_it_has_drained() {
    let vars = [("API_KEY", "ApiKey SU-0:0"), ("ENVIRONMENT_ID", "ENV-0")];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = Environment::from_vars(vars, false).unwrap();
    // Results, hooks, log lines, telemetry: ten seconds each.
    let longest = environment.drain + Duration::from_secs(4 * 10);
    let given = [
        ("connect-extension.service", "TimeoutStopSec="),
        ("README.md", "--stop-timeout "),
        ("README.md", "terminationGracePeriodSeconds: "),
    ];
    for (name, before) in given {
        let text = file(name);
        let found: Vec<u64> = numbers(&text, before).collect();
        assert_eq!(found.len(), 1, "{before} in {name}");
        assert!(Duration::from_secs(found[0]) > longest, "{before}{} in {name}, of {longest:?}", found[0]);
    }
}

#[test]
fn the_image_is_built_with_the_compiler_of_the_workspace() {
    let manifest = include_str!("../../../Cargo.toml");
    let version = manifest.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(file("Dockerfile").contains(&format!("ARG RUST={version}\n")));
}
