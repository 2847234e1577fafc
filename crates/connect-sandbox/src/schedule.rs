//! When schedules fire. All times are UTC.

use std::time::Duration;

use jiff::{Span, Timestamp, ToSpan, tz::TimeZone};
use serde_json::Value;
use tokio::time::Instant;

use crate::dispatch::scaled;

/// The sandbox's own time: it starts with the real one and goes faster.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    epoch: Timestamp,
    speed: f64,
}

impl Clock {
    pub(crate) fn new(speed: f64) -> Self {
        Self { start: Instant::now(), epoch: Timestamp::now(), speed }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let passed = scaled(self.start.elapsed(), 1.0 / self.speed);
        self.epoch.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// When a time of the sandbox is reached.
    pub(crate) fn instant(&self, time: Timestamp) -> Instant {
        let distance = Duration::try_from(time.duration_since(self.epoch)).unwrap_or_default();
        self.start + scaled(distance, self.speed)
    }
}

/// What is wrong with a trigger, or when it fires next after a time: not at all where it is over, or where it is of
/// type `advanced`, which this sandbox fires only when told to.
pub(crate) fn next_trigger(trigger: &Value, after: Timestamp) -> Result<Option<Timestamp>, String> {
    let time = |key: &str| -> Result<Option<Timestamp>, String> {
        match trigger.get(key).filter(|value| !value.is_null()) {
            None => Ok(None),
            Some(value) => value
                .as_str()
                .and_then(|text| text.parse().ok())
                .map(Some)
                .ok_or_else(|| format!("trigger.{key}: Datetime has wrong format.")),
        }
    };
    let required = |key: &str| time(key)?.ok_or_else(|| format!("trigger.{key}: This field is required."));
    match trigger["type"].as_str() {
        Some("onetime") => Ok(Some(required("date")?).filter(|date| *date > after)),
        Some("recurring") => {
            let amount = trigger["amount"].as_i64().filter(|amount| (1..=10_000).contains(amount));
            let amount = amount.ok_or("trigger.amount: A whole number from 1 is required.")?;
            let step = match trigger["unit"].as_str() {
                Some("hours") => amount.hours(),
                Some("days") => amount.days(),
                Some("weeks") => amount.weeks(),
                Some("months") => amount.months(),
                _ => return Err("trigger.unit: It has to be hours, days, weeks or months.".to_owned()),
            };
            let next = recurrence(required("start")?, step, after);
            let end = time("end")?;
            Ok(next.filter(|next| end.is_none_or(|end| *next <= end)))
        }
        Some("advanced") => Ok(None),
        _ => Err("trigger.type: It has to be onetime, recurring or advanced.".to_owned()),
    }
}

/// The first of `start`, `start + step`, `start + 2 step`, … that is later.
fn recurrence(start: Timestamp, step: Span, after: Timestamp) -> Option<Timestamp> {
    if start > after {
        return Some(start);
    }
    let zoned = start.to_zoned_datetime(TimeZone::UTC);
    // A guess that is not too late, whatever the lengths of the months, then the few steps that are left.
    let once = zoned.checked_add(step).ok()?.timestamp().duration_since(start).as_secs().max(1);
    let longest = if step.get_months() > 0 { i64::from(step.get_months()) * 31 * 86_400 } else { once };
    let guess = after.duration_since(start).as_secs() / longest;
    (guess..guess.saturating_add(1_000))
        .map_while(|times| zoned.checked_add(step.checked_mul(times).ok()?).ok())
        .map(|next| next.timestamp())
        .find(|next| *next > after)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn next(trigger: &Value, after: &str) -> Result<Option<String>, String> {
        let next = next_trigger(trigger, after.parse().unwrap())?;
        Ok(next.map(|next| next.to_string()))
    }

    #[test]
    fn triggers_fire_when_they_say() {
        let onetime = json!({"type": "onetime", "date": "2026-05-01T00:00:00+00:00"});
        assert_eq!(next(&onetime, "2026-04-01T00:00:00Z"), Ok(Some("2026-05-01T00:00:00Z".to_owned())));
        assert_eq!(next(&onetime, "2026-05-01T00:00:00Z"), Ok(None), "it is over");
        let every = |unit: &str, amount: u32| json!({"type": "recurring", "unit": unit, "amount": amount, "start": "2024-01-31T10:00:00+00:00"});
        for (unit, amount, after, expected) in [
            ("hours", 5, "2024-01-31T10:00:00Z", "2024-01-31T15:00:00Z"),
            ("days", 2, "2026-01-01T00:00:00Z", "2026-01-02T10:00:00Z"),
            ("weeks", 1, "2024-02-07T09:00:00Z", "2024-02-07T10:00:00Z"),
            ("months", 1, "2024-02-01T00:00:00Z", "2024-02-29T10:00:00Z"),
            ("months", 1, "2054-03-30T00:00:00Z", "2054-03-31T10:00:00Z"),
            ("hours", 1, "2020-01-01T00:00:00Z", "2024-01-31T10:00:00Z"),
        ] {
            assert_eq!(next(&every(unit, amount), after), Ok(Some(expected.to_owned())), "{unit}");
        }
        let mut ends = every("hours", 1);
        ends["end"] = json!("2024-01-31T11:00:00Z");
        assert_eq!(next(&ends, "2024-01-31T10:30:00Z"), Ok(Some("2024-01-31T11:00:00Z".to_owned())));
        assert_eq!(next(&ends, "2024-01-31T11:00:00Z"), Ok(None));
    }

    #[test]
    fn wrong_triggers_are_told() {
        let now = "2026-01-01T00:00:00Z";
        for trigger in [
            json!(null),
            json!({"type": "never"}),
            json!({"type": "onetime"}),
            json!({"type": "onetime", "date": "soon"}),
            json!({"type": "recurring", "unit": "days", "amount": 0, "start": now}),
            json!({"type": "recurring", "unit": "eons", "amount": 1, "start": now}),
            json!({"type": "recurring", "unit": "days", "amount": 1}),
        ] {
            assert!(next(&trigger, now).unwrap_err().starts_with("trigger."), "{trigger}");
        }
        let far =
            json!({"type": "recurring", "unit": "months", "amount": 10_000, "start": "9999-01-01T00:00:00Z"});
        assert_eq!(next(&far, "9999-02-01T00:00:00Z"), Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_goes_faster() {
        let clock = Clock::new(60.0);
        let then = clock.now().checked_add(60.seconds()).unwrap();
        let reached = clock.instant(then) - Instant::now();
        assert!((0.9..=1.0).contains(&reached.as_secs_f64()), "{reached:?}");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(clock.now() >= then);
        assert!(clock.instant(Timestamp::MIN) <= Instant::now());
    }
}
