//! What the extension logs, where it runs in this process.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
    time::Instant,
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    filter::{FilterFn, LevelFilter},
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::{LONGEST, Line, Recorder, Step, What};

/// The span in which the runner runs a task, and its field with the task's id.
const TASK: (&str, &str) = ("task", "task");
/// The span in which a saga runs a transaction, and its field with the transaction's name.
const TRANSACTION: (&str, &str) = ("transaction", "name");

/// In which task a span is.
struct InTask(Arc<str>);

/// A step under way.
struct Begun {
    number: u64,
    at: Instant,
}

struct Recording(Recorder);

impl Recorder {
    /// A layer for `tracing`'s subscriber: it notes the log lines and the transactions of tasks that run in this
    /// process. Of the crates of this framework and of its HTTP client it takes what matters to people, of others
    /// everything but trace.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let filter = FilterFn::new(is_wanted).with_max_level_hint(LevelFilter::DEBUG);
        Recording(self.clone()).with_filter(filter)
    }
}

/// Whether somebody who looks at a task wants to see it.
fn is_wanted(metadata: &Metadata<'_>) -> bool {
    let of = |name: &str| {
        let rest = metadata.target().strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let most = if of("connect_saga") {
        Level::DEBUG
    } else if ["connect_runner", "connect_client", "connect_container", "connect_cache"].into_iter().any(of) {
        Level::INFO
    } else if ["hyper", "hyper_util", "h2", "reqwest", "rustls", "tokio", "tungstenite"].into_iter().any(of) {
        Level::WARN
    } else {
        Level::DEBUG
    };
    *metadata.level() <= most
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recording {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let (is_task, is_transaction) = (span.name() == TASK.0, span.name() == TRANSACTION.0);
        let mut fields = Fields::of(if is_task { TASK.1 } else { TRANSACTION.1 });
        attributes.record(&mut fields);
        if is_task && let Some(task) = fields.wanted {
            span.extensions_mut().insert(InTask(task.into()));
            return;
        }
        let Some(task) = span.parent().and_then(|parent| task_of(&parent)) else { return };
        let name = match fields.wanted.filter(|_| is_transaction) {
            Some(name) => name,
            None => format!("{}{}", span.name(), fields.text),
        };
        let step = What::Step(Step { name, is_transaction, took: None });
        let number = self.0.note(Some(Arc::clone(&task)), self.0.now(), step);
        let mut extensions = span.extensions_mut();
        extensions.insert(InTask(task));
        extensions.insert(Begun { number, at: Instant::now() });
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(task) = context.event_span(event).and_then(|span| task_of(&span)) else { return };
        let mut fields = Fields::of("message");
        event.record(&mut fields);
        let text = format!("{}{}", fields.wanted.unwrap_or_default(), fields.text);
        let (level, target) = (*event.metadata().level(), event.metadata().target().to_owned());
        self.0.note(Some(task), self.0.now(), What::Line(Line { level, target, text }));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        if let Some(begun) = span.extensions().get::<Begun>() {
            self.0.end_step(begun.number, begun.at.elapsed());
        }
    }
}

fn task_of<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Arc<str>> {
    span.scope().find_map(|span| span.extensions().get::<InTask>().map(|task| Arc::clone(&task.0)))
}

/// One field by itself, and the text of the others.
struct Fields {
    name: &'static str,
    wanted: Option<String>,
    text: String,
}

impl Fields {
    fn of(name: &'static str) -> Self {
        Self { name, wanted: None, text: String::new() }
    }

    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() == self.name {
            let mut text = value.to_string();
            cut(&mut text);
            self.wanted = Some(text);
        } else if self.text.len() < LONGEST {
            // A `String` takes whatever is written.
            let _ = write!(self.text, " {}={value}", field.name());
            cut(&mut self.text);
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}

fn cut(text: &mut String) {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use tracing::{Instrument, debug, debug_span, info, info_span, subscriber::with_default, trace};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn what_happens_in_a_task_is_noted_with_it() {
        let recorder = Recorder::default();
        with_default(tracing_subscriber::registry().with(recorder.layer()), || {
            info!("outside");
            let task = info_span!("task", task = %"TQ-1", event = "e");
            task.in_scope(|| {
                info!(seats = 5, "ordered");
                debug_span!("transaction", name = "Create customer").in_scope(|| debug!("made"));
                trace!("too much");
                debug!(target: "hyper::proto", "too much");
                debug!(target: "hyperion", "of somebody else");
            });
            drop(async {}.instrument(task));
        });
        let noted: Vec<String> = recorder
            .of_tasks(&["TQ-1"])
            .remove("TQ-1")
            .into_iter()
            .flatten()
            .map(|entry| match entry.what {
                What::Line(line) => format!("{} {}", line.level, line.text),
                What::Step(step) => format!("{} {} {}", step.name, step.is_transaction, step.took.is_some()),
                What::Call(_) => "a call".to_owned(),
            })
            .collect();
        let expected =
            ["INFO ordered seats=5", "Create customer true true", "DEBUG made", "DEBUG of somebody else"];
        assert_eq!(noted, expected);
    }
}
