//! What a product says of its tiers.

use serde_json::Value;

use super::params;

/// A level of resellers that has configurations: the one who sells, and who stands above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    One,
    Two,
}

impl Level {
    pub(super) fn of(value: &Value) -> Option<Self> {
        // The schema says text, payloads have numbers.
        match value.as_u64().or_else(|| value.as_str()?.parse().ok()) {
            Some(1) => Some(Self::One),
            Some(2) => Some(Self::Two),
            _ => None,
        }
    }

    pub(super) fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// Its name among the tiers of an asset, and as the scope of parameters and templates.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::One => "tier1",
            Self::Two => "tier2",
        }
    }
}

/// Whether a product can do something.
pub(super) fn is_able(product: &Value, capability: &str) -> bool {
    product.pointer(&format!("/capabilities/{capability}")) == Some(&Value::Bool(true))
}

/// The highest level that a product may want configurations of.
pub(super) fn highest(product: &Value) -> Option<Level> {
    match product.pointer("/capabilities/tiers") {
        Some(tiers) => Level::of(&tiers["configs"]["level"]),
        // It says nothing of them, so its parameters do.
        None => Some(Level::Two),
    }
}

/// The levels that a product wants configurations of, the upper one first: those that it has parameters of.
pub(super) fn levels(product: &Value, definitions: &[Value]) -> Vec<Level> {
    let highest = highest(product).map_or(0, Level::number);
    let is_wanted = |level: &Level| level.number() <= highest && !params::of(definitions, *level).is_empty();
    [Level::Two, Level::One].into_iter().filter(is_wanted).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition(name: &str, scope: &str, phase: &str) -> Value {
        json!({"id": "PRM-1", "name": name, "scope": scope, "phase": phase, "type": "text"})
    }

    #[test]
    fn the_capability_and_the_parameters_tell_the_levels() {
        let both = [definition("a", "tier1", "ordering"), definition("b", "tier2", "fulfillment")];
        let of = |tiers: Value, definitions: &[Value]| {
            levels(&json!({"capabilities": {"tiers": tiers}}), definitions)
        };
        assert_eq!(of(json!({"configs": {"level": 2}}), &both), [Level::Two, Level::One]);
        assert_eq!(of(json!({"configs": {"level": "1"}}), &both), [Level::One]);
        assert_eq!(of(json!({"configs": null}), &both), []);
        assert_eq!(of(json!({"configs": {"level": 2}}), &both[1..]), [Level::Two]);
        assert_eq!(levels(&json!({}), &both), [Level::Two, Level::One]);
        assert_eq!(levels(&json!({}), &[definition("a", "asset", "ordering")]), []);
        assert_eq!(levels(&json!({}), &[definition("a", "tier1", "configuration")]), []);
    }
}
