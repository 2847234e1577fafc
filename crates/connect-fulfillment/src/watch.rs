//! `dev --watch`: what is being developed is built and started again on every change.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime},
};

use watchexec::{
    Id, Watchexec,
    command::{Command, Program, Shell, SpawnOptions},
    job::{CommandState, Job},
};
use watchexec_events::{Event, Priority, ProcessEnd};
use watchexec_signals::Signal;

use crate::cli::BoxError;

/// How long the program gets to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// What of a package makes a change; those that are there.
const SOURCES: [&str; 4] = ["src", "Cargo.toml", "build.rs", "extension.json"];

/// Watches until SIGINT or SIGTERM. The old program runs until the new one is built.
pub(crate) async fn run(build: Option<String>) -> Result<ExitCode, BoxError> {
    let project = project()?;
    let program = std::env::current_exe()?;
    let build = build.unwrap_or_else(|| build_command(&project, &program));
    let arguments = child_arguments(std::env::args_os().skip(1))?;
    let watched: Vec<PathBuf> =
        SOURCES.iter().map(|name| project.join(name)).filter(|path| path.exists()).collect();
    say(&format!("watching {}; on a change: {build}", project.display()));

    let (build_id, run_id) = (Id::default(), Id::default());
    let command = Arc::new(Command {
        program: Program::Exec { prog: program.clone(), args: arguments },
        options: SpawnOptions::default(),
    });
    let build = Arc::new(Command {
        program: Program::Shell { shell: Shell::new("sh"), command: build, args: Vec::new() },
        options: SpawnOptions::default(),
    });
    let watchexec = Watchexec::new_async(move |mut action| {
        let (command, build, program) = (Arc::clone(&command), Arc::clone(&build), program.clone());
        Box::new(async move {
            if action.signals().any(|signal| matches!(signal, Signal::Interrupt | Signal::Terminate)) {
                action.quit_gracefully(Signal::Terminate, GRACE);
                return action;
            }
            let run = action.get_or_create_job(run_id, || Arc::clone(&command));
            if action.events.iter().any(|event| event.tags.is_empty()) {
                run.start().await;
            } else if action.paths().next().is_some() {
                let build = action.get_or_create_job(build_id, || Arc::clone(&build));
                rebuild(&build, &run, program).await;
            }
            action
        })
    })?;
    watchexec.config.pathset(watched);
    watchexec.config.on_error(|hook| say(&format!("watching: {}", hook.error)));
    let main = watchexec.main();
    // An event that says nothing: the start.
    watchexec.send_event(Event::default(), Priority::Urgent).await?;
    main.await??;
    Ok(ExitCode::SUCCESS)
}

/// Builds; and starts again if that made another program.
async fn rebuild(build: &Job, run: &Job, program: PathBuf) {
    let before = modified(&program);
    say("building");
    build.restart().await;
    build.to_wait().await;
    let run = run.clone();
    let judge = move |context: &watchexec::job::JobTaskContext<'_>| {
        let is_built = matches!(context.current, CommandState::Finished { status: ProcessEnd::Success, .. });
        if !is_built {
            say("it could not be built: the old program goes on");
        } else if modified(&program) == before {
            say("nothing new was built");
        } else {
            say("starting again");
            run.restart_with_signal(Signal::Terminate, GRACE);
        }
    };
    build.run(judge).await;
}

fn modified(program: &Path) -> Option<SystemTime> {
    fs::metadata(program).and_then(|data| data.modified()).ok()
}

/// The package that is being developed: Cargo's word, or the folder one is in.
fn project() -> Result<PathBuf, BoxError> {
    let project = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_dir()?,
    };
    if project.join("Cargo.toml").is_file() {
        return Ok(project);
    }
    Err(format!(
        "nothing to watch: {} holds no Cargo.toml; use --watch in a package's folder",
        project.display()
    )
    .into())
}

/// What builds the program that runs, in its profile.
fn build_command(project: &Path, program: &Path) -> String {
    let name = |path: Option<&Path>| {
        path.and_then(Path::file_name).map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    let profile = match name(program.parent()).as_str() {
        "debug" | "" => "dev".to_owned(),
        profile => profile.to_owned(),
    };
    let manifest = project.join("Cargo.toml");
    format!(
        "cargo build --manifest-path '{}' --bin '{}' --profile '{profile}'",
        manifest.display(),
        name(Some(program))
    )
}

/// The arguments of the program that is watched: all but those about watching.
fn child_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<String>, BoxError> {
    let mut kept = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let argument = argument
            .into_string()
            .map_err(|argument| format!("an argument that is no text: {}", argument.display()))?;
        match argument.as_str() {
            "--watch" => {}
            "--build" => drop(arguments.next()),
            text if text.starts_with("--build=") => {}
            _ => kept.push(argument),
        }
    }
    Ok(kept)
}

fn say(text: &str) {
    // A screen that is gone is no reason to stop.
    let _ = writeln!(io::stderr(), "[{text}]");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_is_not_told_to_watch() {
        let given = ["dev", "--watch", "--requests", "r", "--build", "make", "--build=make", "--once"];
        let kept = child_arguments(given.map(OsString::from)).unwrap();
        assert_eq!(kept, ["dev", "--requests", "r", "--once"]);
    }

    #[test]
    fn it_is_built_as_it_was() {
        let command = |program: &str| build_command(Path::new("/p"), Path::new(program));
        assert_eq!(
            command("/p/target/debug/app"),
            "cargo build --manifest-path '/p/Cargo.toml' --bin 'app' --profile 'dev'"
        );
        assert!(command("/p/target/release/app").ends_with("--profile 'release'"));
    }
}
