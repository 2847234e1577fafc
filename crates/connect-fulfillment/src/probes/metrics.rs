//! Figures for Prometheus.

use connect_model::wire::{ResultType, TaskCategory};
use connect_runner::{Declaration, Monitor, Status, TaskReport};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
        histogram::Histogram,
        info::Info,
    },
    registry::{Registry, Unit},
};

use crate::logging::Logs;

/// The content type of what [`Metrics::text`] gives.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper ends of the classes of durations, in seconds: from an answer at once to the longest background task.
pub(crate) const SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    category: String,
    event: String,
    result: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    category: String,
    event: String,
}

/// The figures of a process.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    tasks: Family<Ended, Counter>,
    durations: Family<Kind, Histogram>,
}

impl Metrics {
    pub(crate) fn new(declaration: &Declaration, monitor: Monitor, logs: Logs) -> Self {
        let mut registry = Registry::with_prefix("connect");
        let info = [("name", declaration.name.clone()), ("version", declaration.version.clone())];
        registry.register("extension", "The extension", Info::new(info.to_vec()));
        let tasks = Family::default();
        registry.register("tasks", "Tasks that were answered, by how they ended", Family::clone(&tasks));
        let durations = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        registry.register_with_unit(
            "task_duration",
            "From a task's arrival to its answer, waiting and fetching included",
            Unit::Seconds,
            Family::clone(&durations),
        );
        registry.register_collector(Box::new(Watched { monitor, logs }));
        Self { registry, tasks, durations }
    }

    pub(crate) fn task(&self, report: &TaskReport) {
        let (category, event) = (category(&report.category).to_owned(), report.event_type.clone());
        self.durations
            .get_or_create(&Kind { category: category.clone(), event: event.clone() })
            .observe(report.elapsed.as_secs_f64());
        let result = result(&report.result).to_owned();
        self.tasks.get_or_create(&Ended { category, event, result }).inc();
    }

    /// As `OpenMetrics` text, which Prometheus reads.
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What is looked at when somebody asks.
#[derive(Debug)]
struct Watched {
    monitor: Monitor,
    logs: Logs,
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Status { is_ready, connections, tasks, .. } = self.monitor.status();
        let gauge = |value: usize| ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
        let mut gauges = |name: &str, help: &str, label: &str, values: Vec<(&str, usize)>| {
            let kind = ConstGauge::new(0_i64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (of, value) in values {
                let labels = [(label, of)];
                gauge(value).encode(family.encode_family(&labels)?)?;
            }
            Ok::<(), std::fmt::Error>(())
        };
        let of_tasks = |value: fn(&connect_runner::TaskCounts) -> usize| {
            tasks.iter().map(|tasks| (tasks.category, value(tasks))).collect()
        };
        gauges("tasks_running", "Tasks that are being handled", "category", of_tasks(|tasks| tasks.running))?;
        gauges("tasks_waiting", "Tasks that wait for others", "category", of_tasks(|tasks| tasks.waiting))?;
        let up =
            connections.iter().map(|one| (one.runner_type, usize::from(one.state == "active"))).collect();
        gauges("connection_up", "Whether the connection is active", "runner_type", up)?;
        let outbox = connections.iter().map(|one| (one.runner_type, one.outbox)).collect();
        gauges("outbox_results", "Results that Connect is not known to have", "runner_type", outbox)?;
        let ready = gauge(usize::from(is_ready));
        ready.encode(encoder.encode_descriptor(
            "ready",
            "Whether tasks are taken",
            None,
            ready.metric_type(),
        )?)?;

        let mut counters = |name: &str, help: &str, values: Vec<(&str, u64)>| {
            let kind = ConstCounter::new(0_u64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (of, value) in values {
                let labels = [("runner_type", of)];
                ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
            }
            Ok::<(), std::fmt::Error>(())
        };
        let reconnects =
            connections.iter().map(|one| (one.runner_type, one.connects.saturating_sub(1))).collect();
        counters("reconnects", "How often the connection was set up again", reconnects)?;
        let failures = connections.iter().map(|one| (one.runner_type, one.failures)).collect();
        counters("connection_failures", "How often the connection broke or could not be opened", failures)?;
        let dropped = ConstCounter::new(self.logs.dropped());
        let help = "Log lines that did not get to Logz.io";
        dropped.encode(encoder.encode_descriptor("log_lines_dropped", help, None, dropped.metric_type())?)
    }
}

fn category(category: &TaskCategory) -> &str {
    match category {
        TaskCategory::Background => "background",
        TaskCategory::Interactive => "interactive",
        TaskCategory::Scheduled => "scheduled",
        _ => "other",
    }
}

fn result(result: &ResultType) -> &str {
    match result {
        ResultType::Success => "success",
        ResultType::Reschedule => "reschedule",
        ResultType::Skip => "skip",
        ResultType::Retry => "retry",
        ResultType::Fail => "fail",
        _ => "other",
    }
}
