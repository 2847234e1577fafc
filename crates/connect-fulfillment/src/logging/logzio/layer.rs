use std::fmt;

use serde_json::{Map, Value, json};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer,
    fmt::{
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::Context,
    registry::LookupSpan,
};

use super::Logzio;
use crate::logging::is_of_sending;

/// The longest line, in bytes: Logz.io takes no longer ones (500,000 characters).
const LONGEST: usize = 400_000;

/// Writes events as lines for Logz.io.
#[derive(Debug)]
pub(crate) struct LogzioLayer(pub(crate) Logzio);

/// The fields of a span.
struct Fields(Map<String, Value>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogzioLayer {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if !self.0.is_on() {
            return;
        }
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if !self.0.is_on() || is_of_sending(metadata.target()) {
            return;
        }
        let mut line = Map::new();
        for span in
            context.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.extend(fields.0.clone());
            }
        }
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        line.extend(fields.0);
        line.extend(self.0.target().metadata.clone());
        let mut now = String::new();
        // A text takes all that is written.
        let _ = SystemTime.format_time(&mut Writer::new(&mut now));
        line.insert("@timestamp".to_owned(), now.into());
        line.insert("type".to_owned(), "rust".into());
        line.insert("log_level".to_owned(), level(*metadata.level()).into());
        line.insert("logger".to_owned(), metadata.target().into());
        line.insert("path_name".to_owned(), metadata.file().into());
        line.insert("line_number".to_owned(), metadata.line().into());
        self.0.put(text(line));
    }
}

fn text(mut line: Map<String, Value>) -> String {
    let text = Value::Object(line.clone()).to_string();
    if text.len() <= LONGEST {
        return text;
    }
    // Only the message is cut: what says whose line it is stays.
    let message = line.get("message").and_then(Value::as_str).unwrap_or_default();
    let mut end = message.len().saturating_sub(text.len() - LONGEST);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let cut = format!("{}…", &message[..end]);
    line.insert("message".to_owned(), cut.into());
    let text = Value::Object(line).to_string();
    if text.len() <= LONGEST + 16 { text } else { json!({"message": "a log line was too long"}).to_string() }
}

/// As Python's `logging` calls it: lines of both kinds of extensions are found alike.
fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let name = match field.name() {
            // Meant for OpenTelemetry.
            name if name.starts_with("otel.") => return,
            // The original's name, and what follows from it.
            "task" => "task_id",
            "object" => "object_id",
            "event" => "event_type",
            name => name,
        };
        self.0.insert(name.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}
