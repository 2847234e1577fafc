use connect_runner::{ConnectionStatus, Monitor, Status, TaskCounts, TaskReport};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter, MeterProvider},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use crate::probes::SECONDS;

/// The figures that `/metrics` has too, by OpenTelemetry's spelling of their names.
#[derive(Debug)]
pub(super) struct Instruments {
    tasks: Counter<u64>,
    durations: Histogram<f64>,
}

impl Instruments {
    pub(super) fn new(provider: &SdkMeterProvider, monitor: &Monitor) -> Self {
        let meter = provider.meter("connect-fulfillment");
        watch(&meter, monitor);
        Self {
            tasks: meter
                .u64_counter("connect.tasks")
                .with_description("Tasks that were answered, by how they ended")
                .build(),
            durations: meter
                .f64_histogram("connect.task.duration")
                .with_unit("s")
                .with_description("From a task's arrival to its answer, waiting and fetching included")
                .with_boundaries(SECONDS.to_vec())
                .build(),
        }
    }

    pub(super) fn task(&self, report: &TaskReport) {
        let kind = [
            KeyValue::new("category", report.category.to_string()),
            KeyValue::new("event", report.event_type.clone()),
        ];
        self.durations.record(report.elapsed.as_secs_f64(), &kind);
        let [category, event] = kind;
        self.tasks.add(1, &[category, event, KeyValue::new("result", report.result.to_string())]);
    }
}

/// Figures that are looked at when they are sent. A provider keeps them alive.
fn watch(meter: &Meter, monitor: &Monitor) {
    let of_tasks = |name: &'static str, help: &'static str, value: fn(&TaskCounts) -> usize| {
        let monitor = monitor.clone();
        let look = move |observer: &dyn opentelemetry::metrics::AsyncInstrument<u64>| {
            for counts in &monitor.status().tasks {
                observer.observe(value(counts) as u64, &[KeyValue::new("category", counts.category)]);
            }
        };
        meter.u64_observable_gauge(name).with_description(help).with_callback(look).build();
    };
    of_tasks("connect.tasks.running", "Tasks that are being handled", |counts| counts.running);
    of_tasks("connect.tasks.waiting", "Tasks that wait for others", |counts| counts.waiting);

    let of_connections = |value: fn(&ConnectionStatus) -> u64| {
        let monitor = monitor.clone();
        move |observer: &dyn opentelemetry::metrics::AsyncInstrument<u64>| {
            let Status { connections, .. } = monitor.status();
            for connection in connections {
                let labels = [KeyValue::new("runner_type", connection.runner_type)];
                observer.observe(value(&connection), &labels);
            }
        }
    };
    meter
        .u64_observable_gauge("connect.connection.up")
        .with_description("Whether the connection is active")
        .with_callback(of_connections(|connection| u64::from(connection.state == "active")))
        .build();
    meter
        .u64_observable_gauge("connect.outbox.results")
        .with_description("Results that Connect is not known to have")
        .with_callback(of_connections(|connection| connection.outbox as u64))
        .build();
    meter
        .u64_observable_counter("connect.reconnects")
        .with_description("How often the connection was set up again")
        .with_callback(of_connections(|connection| connection.connects.saturating_sub(1)))
        .build();
    meter
        .u64_observable_counter("connect.connection.failures")
        .with_description("How often the connection broke or could not be opened")
        .with_callback(of_connections(|connection| connection.failures))
        .build();
}
