//! `dev --watch`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{fs, path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader, Lines},
    process::Command,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(30);

async fn said(lines: &mut Lines<BufReader<impl AsyncRead + Unpin>>, text: &str) {
    let mut seen = Vec::new();
    let found = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(text) {
                return;
            }
            seen.push(line);
        }
        panic!("it ended before \"{text}\"");
    };
    let in_time = timeout(PATIENCE, found).await.is_ok();
    assert!(in_time, "no \"{text}\" in {seen:#?}");
}

/// As an editor does.
fn save(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_again_when_another_program_was_built() {
    let folder = tempfile::tempdir().unwrap();
    let (program, source) = (folder.path().join("app"), folder.path().join("src/main.rs"));
    fs::copy(env!("CARGO_BIN_EXE_quickstart"), &program).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    save(&folder.path().join("Cargo.toml"), "");
    save(&source, "one");
    let script = folder.path().join("build.sh");
    save(&script, "exit 1");
    let build = format!("sh {}", script.display());
    let mut process = Command::new(&program)
        .args(["dev", "--watch", "--build", &build])
        .env("CARGO_MANIFEST_DIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut err = BufReader::new(process.stderr.take().unwrap()).lines();
    said(&mut out, "sandbox on").await;

    save(&source, "with an error");
    said(&mut err, "could not be built").await;
    save(&script, "exit 0");
    save(&source, "with a comment");
    said(&mut err, "nothing new was built").await;
    // A program that runs can't be overwritten, only replaced.
    let app = program.display();
    save(&script, &format!("cp {app} {app}.new && mv {app}.new {app}"));
    save(&source, "with something new");
    said(&mut err, "starting again").await;
    said(&mut out, "sandbox on").await;

    let id = process.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    assert!(timeout(PATIENCE, process.wait()).await.unwrap().unwrap().success());
    // With it ends what it started: nobody holds the pipe any more.
    while timeout(PATIENCE, out.next_line()).await.unwrap().unwrap().is_some() {}
}

#[tokio::test]
async fn without_a_package_there_is_nothing_to_watch() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .args(["dev", "--watch"])
        .env_remove("CARGO_MANIFEST_DIR")
        .current_dir(folder.path())
        .output();
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("holds no Cargo.toml"));
}
