//! When schedules fire. All times are UTC.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use jiff::{Span, Timestamp, ToSpan, civil::DateTime, tz::TimeZone};
use serde_json::Value;
use tokio::time::Instant;

use crate::dispatch::scaled;

/// How many changes of the speed, and jumps, are remembered.
const CHANGES: usize = 1_000;

/// The sandbox's own time: it starts with the real one and goes faster.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    epoch: Timestamp,
    speed: f64,
    /// The same moment on both clocks of the machine.
    base: (Instant, SystemTime),
    /// How it went before.
    past: VecDeque<Stretch>,
}

/// How the time went from a moment on.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: SystemTime,
    epoch: Timestamp,
    speed: f64,
}

impl Stretch {
    fn own(&self, real: SystemTime) -> Timestamp {
        let passed = real.duration_since(self.start).unwrap_or_default();
        self.epoch.checked_add(scaled(passed, 1.0 / self.speed)).unwrap_or(Timestamp::MAX)
    }

    fn real(&self, own: Timestamp) -> SystemTime {
        let passed = Duration::try_from(own.duration_since(self.epoch)).unwrap_or_default();
        self.start + scaled(passed, self.speed)
    }
}

impl Clock {
    /// It begins with the real time, but not before the time that was reached already.
    pub(crate) fn new(speed: f64, reached: Option<Timestamp>) -> Self {
        let now = Timestamp::now();
        let start = Instant::now();
        let epoch = reached.map_or(now, |reached| reached.max(now));
        Self { start, epoch, speed, base: (start, SystemTime::now()), past: VecDeque::new() }
    }

    fn stretch(&self) -> Stretch {
        let start = self.base.1 + self.start.duration_since(self.base.0);
        Stretch { start, epoch: self.epoch, speed: self.speed }
    }

    /// Goes on from a time at a speed.
    fn go_on(&mut self, epoch: Timestamp, speed: f64) {
        self.past.push_back(self.stretch());
        if self.past.len() > CHANGES {
            self.past.pop_front();
        }
        (self.start, self.epoch, self.speed) = (Instant::now(), epoch, speed);
    }

    fn stretches(&self) -> impl DoubleEndedIterator<Item = Stretch> {
        self.past.iter().copied().chain([self.stretch()])
    }

    /// What the sandbox's own time was at a real one. What was before it began is as it was.
    pub(crate) fn own(&self, real: SystemTime) -> Timestamp {
        let stretch = self.stretches().rev().find(|stretch| stretch.start <= real);
        let before = || Timestamp::try_from(real).unwrap_or(Timestamp::MIN).min(self.epoch);
        stretch.map_or_else(before, |stretch| stretch.own(real))
    }

    /// At which real time the sandbox's own one was reached; what it jumped over was at the jump.
    pub(crate) fn real(&self, own: Timestamp) -> SystemTime {
        let mut ends = None;
        for stretch in self.stretches().rev() {
            if stretch.epoch <= own {
                let real = stretch.real(own);
                return ends.map_or(real, |end| real.min(end));
            }
            ends = Some(stretch.start);
        }
        let as_written = SystemTime::try_from(own).unwrap_or(SystemTime::UNIX_EPOCH);
        ends.map_or(as_written, |end| as_written.min(end))
    }

    pub(crate) fn now(&self) -> Timestamp {
        let passed = scaled(self.start.elapsed(), 1.0 / self.speed);
        self.epoch.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    /// Goes on from its time at another speed.
    pub(crate) fn set_speed(&mut self, speed: f64) {
        self.go_on(self.now(), speed);
    }

    /// Jumps ahead.
    pub(crate) fn step(&mut self, by: Duration) {
        self.go_on(self.now().checked_add(by).unwrap_or(Timestamp::MAX), self.speed);
    }

    /// When a time of the sandbox is reached.
    pub(crate) fn instant(&self, time: Timestamp) -> Instant {
        let distance = Duration::try_from(time.duration_since(self.epoch)).unwrap_or_default();
        self.start + scaled(distance, self.speed)
    }
}

/// A time as Connect or its users write it; without an offset it is UTC.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<Timestamp>().ok();
    zoned.or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
}

/// What is wrong with a trigger, or when it fires next after a time: not at all where it is over.
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
        Some("advanced") => {
            let expression = trigger["cron_expression"].as_str().filter(|text| text.len() <= 30);
            let expression = expression
                .ok_or("trigger.cron_expression: A text of at most 30 characters is required.".to_owned())?;
            let after = time("start")?.map_or(after, |start| after.max(start));
            cron(expression, after)
        }
        _ => Err("trigger.type: It has to be onetime, recurring or advanced.".to_owned()),
    }
}

/// The next moment of a five-field cron expression, in UTC.
fn cron(expression: &str, after: Timestamp) -> Result<Option<Timestamp>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("trigger.cron_expression: {error}");
    // With a time zone in it there would be a sixth field.
    if expression.split_whitespace().count() != 5 {
        return Err(wrong(&"It has five fields: minute, hour, day, month, weekday."));
    }
    let crontab = cronexpr::parse_crontab(&format!("{expression} UTC")).map_err(|error| wrong(&error))?;
    // It has a jiff of its own version. Where there is none in the next years there is none.
    let Ok(after) = cronexpr::jiff::Timestamp::from_second(after.as_second()) else { return Ok(None) };
    let Ok(next) = crontab.find_next(after) else { return Ok(None) };
    Ok(Timestamp::from_second(next.timestamp().as_second()).ok())
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
        let cron = |expression: &str| json!({"type": "advanced", "cron_expression": expression});
        for (expression, expected) in [
            ("*/15 * * * *", Some("2026-02-27T10:15:00Z")),
            ("0 9 * * 1", Some("2026-03-02T09:00:00Z")),
            ("30 4 29 2 *", Some("2028-02-29T04:30:00Z")),
            ("0 0 30 2 *", None),
        ] {
            assert_eq!(
                next(&cron(expression), "2026-02-27T10:00:00Z"),
                Ok(expected.map(str::to_owned)),
                "{expression}"
            );
        }
        let mut starts = cron("0 0 * * *");
        starts["start"] = json!("2027-01-01T12:00:00Z");
        assert_eq!(next(&starts, "2026-02-27T10:00:00Z"), Ok(Some("2027-01-02T00:00:00Z".to_owned())));
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
            json!({"type": "advanced"}),
            json!({"type": "advanced", "cron_expression": "every day"}),
            json!({"type": "advanced", "cron_expression": "0 61 * * *"}),
            json!({"type": "advanced", "cron_expression": "0 0 * * * Europe/Madrid"}),
            json!({"type": "advanced", "cron_expression": "0 0 1,2,3,4,5,6,7,8,9,10,11,12,13 * *"}),
        ] {
            assert!(next(&trigger, now).unwrap_err().starts_with("trigger."), "{trigger}");
        }
        let far =
            json!({"type": "recurring", "unit": "months", "amount": 10_000, "start": "9999-01-01T00:00:00Z"});
        assert_eq!(next(&far, "9999-02-01T00:00:00Z"), Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_goes_faster() {
        let clock = Clock::new(60.0, None);
        let then = clock.now().checked_add(60.seconds()).unwrap();
        let reached = clock.instant(then) - Instant::now();
        assert!((0.9..=1.0).contains(&reached.as_secs_f64()), "{reached:?}");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(clock.now() >= then);
        assert!(clock.instant(Timestamp::MIN) <= Instant::now());
        let mut clock = clock;
        let before = clock.now();
        clock.set_speed(1.0);
        tokio::time::advance(Duration::from_secs(60)).await;
        let passed = clock.now().duration_since(before).as_secs_f64();
        assert!((59.9..=60.1).contains(&passed), "{passed}");
        clock.step(Duration::from_secs(3_600));
        let passed = clock.now().duration_since(before).as_secs_f64();
        assert!((3_659.9..=3_660.1).contains(&passed), "{passed}");
    }

    #[tokio::test(start_paused = true)]
    async fn times_are_told_on_both_clocks() {
        let second = Duration::from_secs(1);
        let mut clock = Clock::new(60.0, None);
        let (real, own) = (clock.base.1, clock.epoch);
        tokio::time::advance(2 * second).await;
        clock.step(3_600 * second);
        tokio::time::advance(second).await;
        clock.set_speed(1.0);
        // After so many real seconds, so many of its own.
        for (passed, of_its_own) in [(0, 0), (1, 60), (3, 120 + 3_600 + 60), (4, 120 + 3_600 + 61)] {
            let at = own.checked_add(of_its_own.seconds()).unwrap();
            let told = clock.own(real + passed * second).duration_since(at).as_secs_f64();
            assert!(told.abs() < 0.5, "{passed}: {told}");
            let told = clock.real(at).duration_since(real).unwrap_or_default().as_secs_f64();
            assert!((told - f64::from(passed)).abs() < 0.1, "{of_its_own}: {told}");
        }
        let jumped_over = clock.real(own.checked_add(1_000.seconds()).unwrap());
        assert!((jumped_over.duration_since(real).unwrap().as_secs_f64() - 2.0).abs() < 0.1);
        let long_ago: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(clock.real(long_ago), SystemTime::try_from(long_ago).unwrap());
        assert_eq!(clock.own(SystemTime::try_from(long_ago).unwrap()), long_ago);
        for _ in 0..2 * CHANGES {
            clock.step(second);
        }
        assert_eq!(clock.past.len(), CHANGES);
    }
}
