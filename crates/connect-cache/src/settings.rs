use std::{
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use connect_container::Config;
use url::Url;

use crate::CacheError;

/// Where the original keeps its files.
pub(crate) const DEFAULT_DIR: &str = "/tmp/cache";

/// The variables of a cache and its URL, read once, with all that is wrong with them.
pub(crate) struct Settings<'a> {
    config: &'a Config,
    url: Option<Url>,
    problems: Vec<String>,
}

impl<'a> Settings<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        let mut settings = Self { config, url: None, problems: Vec::new() };
        if let Some(text) = config.get("CACHE_URL") {
            match Url::parse(text) {
                Ok(url) => settings.url = Some(url),
                // The URL may hold a password, and is not shown.
                Err(error) => settings.problem(format!("the variable CACHE_URL is not a URL: {error}")),
            }
        }
        settings
    }

    pub(crate) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// All that was wrong so far, in one error.
    pub(crate) fn check(&mut self) -> Result<(), CacheError> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(CacheError::Config { problems: std::mem::take(&mut self.problems) })
    }

    pub(crate) fn config(&self) -> &'a Config {
        self.config
    }

    pub(crate) fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    /// The text of a variable, or of a parameter of the URL.
    pub(crate) fn text(&mut self, name: &str, parameter: &str) -> Option<String> {
        let variable = self.config.get(name).map(str::to_owned);
        let Some(value) = self.parameter(parameter) else { return variable };
        if variable.is_some() {
            self.problem(format!(
                "the variable {name} and \"{parameter}\" of CACHE_URL say the same: leave one out"
            ));
        }
        Some(value)
    }

    /// The value of a variable, or of a parameter of the URL.
    pub(crate) fn parse<T: FromStr<Err: Display>>(&mut self, name: &str, parameter: &str) -> Option<T> {
        let text = self.text(name, parameter)?;
        // A variable of its own, so that it is told like all others and its value is not shown.
        let single: Config = [(name, text)].into_iter().collect();
        single.parse(name).unwrap_or_else(|error| {
            self.problems.extend(error.problems().iter().cloned());
            None
        })
    }

    pub(crate) fn parse_or<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
        parameter: &str,
        default: T,
    ) -> T {
        self.parse(name, parameter).unwrap_or(default)
    }

    /// A variable in seconds, which may have a fraction.
    pub(crate) fn seconds(&mut self, name: &str) -> Option<Duration> {
        self.parse(name, "").map(|Seconds(duration)| duration)
    }

    /// A variable in seconds that can't be zero.
    pub(crate) fn seconds_or(&mut self, name: &str, default: Duration) -> Duration {
        let seconds = self.seconds(name).unwrap_or(default);
        if seconds.is_zero() {
            self.problem(format!("the variable {name} has a value that is not right: it can't be zero"));
        }
        seconds
    }

    /// A variable that has to be set.
    pub(crate) fn require(&mut self, name: &str) -> String {
        let value = self.config.require(name).map(str::to_owned);
        value.unwrap_or_else(|error| {
            self.problems.extend(error.problems().iter().cloned());
            String::new()
        })
    }

    /// Variables that say what a URL says already.
    pub(crate) fn replaced_by_url(&mut self, names: &[&str]) {
        for name in names.iter().filter(|name| self.config.get(name).is_some()) {
            let problem = format!("the variables CACHE_URL and {name} say the same: leave one out");
            self.problems.push(problem);
        }
    }

    /// Parameters of the URL that nobody reads.
    pub(crate) fn known_parameters(&mut self, known: &[&str]) {
        let Some(url) = &self.url else { return };
        for (name, _) in url.query_pairs().filter(|(name, _)| !known.contains(&&**name)) {
            self.problems.push(format!("CACHE_URL has a parameter \"{name}\" that its driver does not know"));
        }
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = self.url.as_ref()?.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned())
    }

    /// The path of the URL, or of a variable.
    pub(crate) fn path(&mut self, scheme: &str) -> Option<PathBuf> {
        let url = self.url.as_ref()?;
        if url.scheme() != scheme {
            return None;
        }
        let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
        if url.host_str().is_some() || path.is_empty() || path == "/" {
            self.problem(format!("CACHE_URL names no path: it has to be {scheme}:///folder/…"));
        }
        Some(path.into())
    }

    /// The URL without the parameters that only this crate knows.
    pub(crate) fn url_without(&self, ours: &[&str]) -> Option<Url> {
        let mut url = self.url.clone()?;
        let rest: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !ours.contains(&&**name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        Some(url)
    }
}

/// Seconds, with or without a fraction.
pub(crate) struct Seconds(pub(crate) Duration);

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds: f64 = text.parse().map_err(|_| "it has to be a number of seconds")?;
        let duration = Duration::try_from_secs_f64(seconds);
        duration.map(Self).map_err(|_| "it has to be a number of seconds that is not negative")
    }
}

/// Yes or no, as people write it.
pub(crate) struct Switch(pub(crate) bool);

impl FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(Self(true)),
            "false" | "no" | "off" | "0" => Ok(Self(false)),
            _ => Err("it has to be true or false"),
        }
    }
}

/// Makes a folder for this user alone, unless it is there.
pub(crate) fn make_folder(folder: &Path) -> Result<(), CacheError> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder).map_err(|error| {
        CacheError::storage(format!("the folder {} can't be made: {error}", folder.display()))
    })
}
