//! What of the environment is not kept: which instances there are, what happened, whose keys were given out.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use connect_model::wire::Secret;
use serde_json::{Value, json};

/// How many of the instances that are gone are remembered.
const GONE: usize = 100;
/// How many events are remembered.
const EVENTS: usize = 1_000;

#[derive(Debug)]
pub(crate) struct Live {
    /// The environment that runners connect as.
    pub(crate) environment: String,
    /// By the last segment of the WebSocket's path.
    instances: BTreeMap<String, Instance>,
    events: VecDeque<Value>,
    happened: u64,
    made: u64,
    /// The keys of installations, by installation.
    keys: HashMap<String, Key>,
    /// The products that the extension is for; none: all.
    pub(crate) products: Option<BTreeSet<String>>,
}

#[derive(Debug)]
struct Key {
    text: Secret,
    is_distributors: bool,
}

#[derive(Debug)]
struct Instance {
    number: u64,
    connections: usize,
    created: String,
    /// Since when nothing connects it.
    stopped: Option<String>,
    error_output: Option<Value>,
}

impl Live {
    pub(crate) fn new(environment: &str) -> Self {
        Self {
            environment: environment.to_owned(),
            instances: BTreeMap::new(),
            events: VecDeque::new(),
            happened: 0,
            made: 0,
            keys: HashMap::new(),
            products: None,
        }
    }

    /// What ids of the environment's parts begin with, after their own letters.
    pub(crate) fn digits(&self) -> &str {
        self.environment.strip_prefix("ENV-").unwrap_or(&self.environment)
    }

    pub(crate) fn connected(&mut self, container: &str, now: &str) {
        if !self.instances.contains_key(container) {
            self.made += 1;
            let made = Instance {
                number: self.made,
                connections: 0,
                created: now.to_owned(),
                stopped: None,
                error_output: None,
            };
            self.instances.insert(container.to_owned(), made);
        }
        if let Some(instance) = self.instances.get_mut(container) {
            instance.connections += 1;
            instance.stopped = None;
            if instance.connections == 1 {
                self.happen("info", &format!("The instance {container} connected."), "", now);
            }
        }
    }

    pub(crate) fn disconnected(&mut self, container: &str, now: &str) {
        let Some(instance) = self.instances.get_mut(container) else { return };
        instance.connections = instance.connections.saturating_sub(1);
        if instance.connections > 0 {
            return;
        }
        instance.stopped = Some(now.to_owned());
        self.happen("info", &format!("The instance {container} disconnected."), "", now);
        let gone = || self.instances.iter().filter(|(_, own)| own.connections == 0);
        if gone().count() > GONE {
            let oldest = gone().min_by_key(|(_, own)| own.number).map(|(container, _)| container.clone());
            oldest.and_then(|oldest| self.instances.remove(&oldest));
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.instances.values().any(|instance| instance.connections > 0)
    }

    fn instance_id(&self, instance: &Instance) -> String {
        format!("INS-{}-{:06}", self.digits(), instance.number)
    }

    /// The id of the instance that connects so.
    pub(crate) fn instance(&self, container: &str) -> String {
        self.instances.get(container).map_or_else(|| container.to_owned(), |own| self.instance_id(own))
    }

    /// The instances as REST tells them.
    pub(crate) fn instances(&self, runtime: &Value) -> Vec<Value> {
        let mut instances: Vec<(&String, &Instance)> = self.instances.iter().collect();
        instances.sort_by_key(|(_, instance)| instance.number);
        let told = |(container, instance): (&String, &Instance)| {
            let mut events = json!({"created": {"at": instance.created}});
            if let Some(stopped) = &instance.stopped {
                crate::fulfillment::set(&mut events, "stopped", json!({"at": stopped}));
            }
            json!({
                "id": self.instance_id(instance),
                "container_id": container,
                "runtime": runtime,
                "status": if instance.connections > 0 { "connected" } else { "disconnected" },
                "error_output": instance.error_output,
                "events": events,
            })
        };
        instances.into_iter().map(told).collect()
    }

    /// Notes what an instance said before it broke; `false` where there is no such instance.
    pub(crate) fn set_error(&mut self, id: &str, output: &Value, now: &str) -> bool {
        let digits = self.digits().to_owned();
        let found = self.instances.iter_mut().find(|(container, own)| {
            container.as_str() == id || format!("INS-{digits}-{:06}", own.number) == id
        });
        let Some((container, instance)) = found else { return false };
        instance.error_output = Some(output.clone());
        let message = format!("The instance {container} reported an error.");
        self.happen("error", &message, output.as_str().unwrap_or_default(), now);
        true
    }

    /// Notes something that happened to the environment.
    pub(crate) fn happen(&mut self, severity: &str, message: &str, details: &str, now: &str) {
        self.happened += 1;
        self.events.push_back(json!({
            "id": format!("EVT-{}-{:06}", self.digits(), self.happened),
            "timestamp": now,
            "severity": severity,
            "environment": self.environment,
            "message": message,
            "details": details,
        }));
        if self.events.len() > EVENTS {
            self.events.pop_front();
        }
    }

    /// What happened, the newest first.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Value> {
        self.events.iter().rev()
    }

    /// The key of an installation: the same one for as long as the sandbox runs.
    pub(crate) fn key(&mut self, installation: &str, is_distributors: bool) -> Secret {
        let make = || {
            let digits = fastrand::u32(..1_000_000_000);
            let text = format!(
                "ApiKey SU-{:03}-{:03}-{:03}:{}",
                digits / 1_000_000,
                digits / 1_000 % 1_000,
                digits % 1_000,
                super::secret()
            );
            Key { text: Secret::new(text), is_distributors }
        };
        let key = self.keys.entry(installation.to_owned()).or_insert_with(make);
        key.is_distributors = is_distributors;
        key.text.clone()
    }

    /// Whether a key is an installation's, and if so, whether it is a distributor's.
    pub(crate) fn is_distributors(&self, key: &str) -> Option<bool> {
        self.keys.values().find(|own| own.text.expose() == key).map(|own| own.is_distributors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_that_are_gone_are_forgotten_at_last() {
        let mut live = Live::new("ENV-0000-0001-01");
        live.connected("stays", "then");
        live.connected("stays", "then");
        live.disconnected("stays", "now");
        for number in 0..GONE + 5 {
            live.connected(&format!("c{number}"), "then");
            live.disconnected(&format!("c{number}"), "now");
        }
        let told = live.instances(&json!("local"));
        assert_eq!(told.len(), GONE + 1);
        assert_eq!((&told[0]["container_id"], &told[0]["status"]), (&json!("stays"), &json!("connected")));
        assert_eq!(told[0]["id"], "INS-0000-0001-01-000001");
        assert_eq!((&told[1]["container_id"], &told[1]["status"]), (&json!("c5"), &json!("disconnected")));
        assert_eq!(told[1]["events"], json!({"created": {"at": "then"}, "stopped": {"at": "now"}}));
        assert_eq!(live.instance("stays"), "INS-0000-0001-01-000001");
        assert_eq!(live.instance("c0"), "c0");
        for container in ["stays", "c104", "c103"] {
            live.disconnected(container, "now");
        }
        assert!(!live.is_connected());
        assert!(live.events().count() <= EVENTS);
    }

    #[test]
    fn what_an_instance_reports_is_found_by_both_its_ids() {
        let mut live = Live::new("ENV-0000-0001-01");
        live.connected("SIN-1", "then");
        assert!(live.set_error("INS-0000-0001-01-000001", &json!("Traceback"), "now"));
        assert!(live.set_error("SIN-1", &json!("Traceback 2"), "now"));
        assert!(!live.set_error("SIN-2", &json!("Traceback"), "now"));
        assert_eq!(live.instances(&json!("local"))[0]["error_output"], "Traceback 2");
        let newest = live.events().next().unwrap();
        assert_eq!((&newest["severity"], &newest["details"]), (&json!("error"), &json!("Traceback 2")));
    }

    #[test]
    fn an_installation_keeps_its_key() {
        let mut live = Live::new("ENV-0000-0001-01");
        let key = live.key("EIN-1", true);
        assert_eq!(live.key("EIN-1", true), key);
        assert_ne!(live.key("EIN-2", false), key);
        assert_eq!(live.is_distributors(key.expose()), Some(true));
        assert_eq!(live.is_distributors("ApiKey SU-1:x"), None);
        assert!(!format!("{live:?}").contains(key.expose()));
    }
}
