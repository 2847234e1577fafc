//! Log lines: for people on a terminal, JSON otherwise.

use std::{fmt, io::IsTerminal};

use clap::ValueEnum;
use connect_sandbox::Recorder;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people; coloured on a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

/// Logs to standard error, at this level where `RUST_LOG` does not say otherwise; and to the recorder of a sandbox what
/// it wants, whatever the level.
///
/// A subscriber that the program has set already stays.
pub(crate) fn init(level: &str, format: Option<LogFormat>, recorder: Option<&Recorder>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let terminal = std::io::stderr().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Human } else { LogFormat::Json });
    let registry = tracing_subscriber::registry().with(recorder.map(Recorder::layer)).with(TaskIds);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let end = match format {
        LogFormat::Human => {
            registry.with(layer.with_ansi(terminal).event_format(Human).with_filter(filter)).try_init()
        }
        LogFormat::Json => {
            // The list of spans: the fields of the task are in its span, whatever the current one is.
            let layer = layer.json().flatten_event(true).with_current_span(false).with_span_list(true);
            registry.with(layer.with_filter(filter)).try_init()
        }
    };
    // Set already, by the program itself: then it logs as it wants.
    drop(end);
}

/// Which task a span belongs to, and which request the task is about.
#[derive(Debug, Default)]
struct TaskId {
    task: Option<String>,
    object: Option<String>,
    request: Option<String>,
}

impl TaskId {
    fn is_known(&self) -> bool {
        self.task.is_some() || self.object.is_some() || self.request.is_some()
    }
}

impl Visit for TaskId {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "task" => self.task = Some(format!("{value:?}")),
            "object" => self.object = Some(format!("{value:?}")),
            "request_id" => self.request = Some(format!("{value:?}")),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// Keeps the ids of the span `task`, for whoever formats its lines.
struct TaskIds;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TaskIds {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if attributes.metadata().name() != "task" {
            return;
        }
        let mut ids = TaskId::default();
        attributes.record(&mut ids);
        if let Some(span) = context.span(id).filter(|_| ids.is_known()) {
            span.extensions_mut().insert(ids);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(ids) = span.extensions_mut().get_mut::<TaskId>()
        {
            values.record(ids);
        }
    }
}

/// `time LEVEL request-id message fields task-id`.
struct Human;

impl<S, N> FormatEvent<S, N> for Human
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (colour, dim, plain) = if line.has_ansi_escapes() {
            (colour_of(*event.metadata().level()), "\x1b[2m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        write!(line, "{dim}")?;
        SystemTime.format_time(&mut line)?;
        write!(line, "{plain} {colour}{:>5}{plain} ", event.metadata().level())?;
        let mut task = None;
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let Some(ids) = extensions.get::<TaskId>() else { continue };
            // The original puts the request's id in front of each message of its task.
            if let Some(request) = ids.request.as_ref().or(ids.object.as_ref()) {
                write!(line, "{request} ")?;
            }
            task.clone_from(&ids.task);
            break;
        }
        context.field_format().format_fields(line.by_ref(), event)?;
        if let Some(task) = task {
            write!(line, " {dim}{task}{plain}")?;
        }
        writeln!(line)
    }
}

fn colour_of(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use tracing::{info, info_span, warn};
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_line_for_people_begins_with_the_request() {
        let lines = Lines::default();
        let layer =
            tracing_subscriber::fmt::layer().with_writer(lines.clone()).with_ansi(false).event_format(Human);
        let subscriber = tracing_subscriber::registry().with(TaskIds).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            info!("outside");
            let task =
                info_span!("task", task = %"TQ-1", object = %"PR-1", request_id = tracing::field::Empty);
            task.in_scope(|| {
                info!("before the object is there");
                task.record("request_id", "PR-1-of-it");
                info_span!("transaction", name = "create user").in_scope(|| warn!(user = "jane", "exists"));
            });
        });
        let text = lines.text();
        let said: Vec<_> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        let expected = [
            " INFO outside",
            " INFO PR-1 before the object is there TQ-1",
            " WARN PR-1-of-it exists user=\"jane\" TQ-1",
        ];
        assert_eq!(said, expected);
    }
}
