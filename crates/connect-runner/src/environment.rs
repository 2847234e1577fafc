use std::{collections::HashMap, fmt, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// The static configuration of the process: what it reads from environment variables when it starts.
///
/// The names are those of `connect-extension-runner`.
///
/// | variable | default | |
/// |---|---|---|
/// | `API_KEY` | required | the key of the extension, `ApiKey SU-…:…` |
/// | `ENVIRONMENT_ID` | required | the environment of the extension, `ENV-…` |
/// | `INSTANCE_ID` | the host's name, else random | tells several processes of one environment apart |
/// | `SERVER_ADDRESS` | `api.connect.cloudblue.com` | where the WebSocket is: a host, a host and port, or a URL |
/// | `API_ADDRESS` | the server address | where REST is: a host, a host and port, or a URL |
/// | `BACKGROUND_TASK_MAX_EXECUTION_TIME` | 300 | seconds |
/// | `INTERACTIVE_TASK_MAX_EXECUTION_TIME` | 120 | seconds |
/// | `SCHEDULED_TASK_MAX_EXECUTION_TIME` | 43200 | seconds |
/// | `DRAIN_TIME` | the background limit | seconds that running tasks get when the process is to stop |
/// | `RESULTS_DIR` | none | a folder for results that Connect does not have yet, so that they outlive the process |
/// | `MAX_CONCURRENT_TASKS` | 10000 | tasks of one category that run at once; more wait |
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Environment {
    /// The key of the extension.
    pub api_key: SecretString,
    /// The environment of the extension.
    pub environment_id: String,
    /// Tells several processes of one environment apart.
    pub instance_id: String,
    /// Where the WebSocket is, without its path.
    pub server: Url,
    /// The base of REST paths.
    pub api: Url,
    /// How long tasks may take.
    pub limits: TimeLimits,
    /// How long running tasks get when the process is to stop.
    pub drain: Duration,
    /// A folder in which results are kept until Connect has them, so that they outlive the process.
    pub results_dir: Option<PathBuf>,
    /// How many tasks of one category run at once.
    pub max_concurrent_tasks: usize,
    /// How Connect's API is called again after a failure; the client's default where none is set.
    pub retry: Option<connect_client::RetryPolicy>,
    /// How long to wait before connecting again.
    pub backoff: crate::Backoff,
}

/// How long tasks may take, counted from the start of their handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// Background tasks.
    pub background: Duration,
    /// Interactive tasks.
    pub interactive: Duration,
    /// Scheduled tasks.
    pub scheduled: Duration,
    /// How much longer a saga may take to compensate when the time of its task is over; 30 s unless said otherwise.
    pub compensation: Duration,
}

/// All that is missing or malformed in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentError {
    problems: Vec<String>,
}

impl EnvironmentError {
    /// One text for each problem.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the environment is not complete:")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for EnvironmentError {}

/// Connect's production address.
const SERVER_ADDRESS: &str = "api.connect.cloudblue.com";

impl Environment {
    /// Reads the environment variables of the process.
    pub fn from_env(unsecure: bool) -> Result<Self, EnvironmentError> {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_vars(vars, unsecure)
    }

    /// Reads from given variables; `unsecure` makes the WebSocket plain where the address does not say.
    ///
    /// ```
    /// use connect_runner::Environment;
    ///
    /// let error = Environment::from_vars([("API_KEY".to_owned(), "secret".to_owned())], false).unwrap_err();
    /// assert_eq!(error.problems().len(), 2, "a malformed key and a missing environment");
    /// ```
    pub fn from_vars(
        vars: impl IntoIterator<Item = (String, String)>,
        unsecure: bool,
    ) -> Result<Self, EnvironmentError> {
        let mut reader = Reader { vars: vars.into_iter().collect(), problems: Vec::new() };
        let api_key = reader.required("API_KEY", "the key of the extension, \"ApiKey SU-…:…\"", |key| {
            let secret = key.strip_prefix("ApiKey ").is_some_and(|rest| !rest.trim().is_empty());
            let sendable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            if secret && sendable {
                Ok(SecretString::from(key.to_owned()))
            } else {
                Err("is not a key: it has to be \"ApiKey \" followed by what Connect shows for the token"
                    .to_owned())
            }
        });
        let environment_id =
            reader.required("ENVIRONMENT_ID", "the environment of the extension, \"ENV-…\"", |id| {
                let named = id.strip_prefix("ENV-").is_some_and(|rest| !rest.is_empty());
                if named && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                    Ok(id.to_owned())
                } else {
                    Err(format!(
                        "is not the id of an environment: \"{id}\" should look like ENV-0000-0000-01"
                    ))
                }
            });
        let instance_id = reader.get("INSTANCE_ID").map_or_else(default_instance_id, str::to_owned);
        let ws = if unsecure { "ws" } else { "wss" };
        let server_text = reader.get("SERVER_ADDRESS").unwrap_or(SERVER_ADDRESS).to_owned();
        let server = reader
            .checked("SERVER_ADDRESS", || address(&server_text, ws, [("http", "ws"), ("https", "wss")]));
        let api_text = reader
            .get("API_ADDRESS")
            .map(str::to_owned)
            .or_else(|| host_of(&server_text))
            .unwrap_or_default();
        let api = reader.checked("API_ADDRESS", || {
            let mut api = address(&api_text, "https", [("ws", "http"), ("wss", "https")])?;
            if api.path() == "/" {
                api.set_path("/public/v1");
            }
            Ok(api)
        });
        let background = reader.seconds("BACKGROUND_TASK_MAX_EXECUTION_TIME", 300);
        let limits = TimeLimits {
            background,
            interactive: reader.seconds("INTERACTIVE_TASK_MAX_EXECUTION_TIME", 120),
            scheduled: reader.seconds("SCHEDULED_TASK_MAX_EXECUTION_TIME", 43_200),
            compensation: Duration::from_secs(30),
        };
        let drain = reader.seconds("DRAIN_TIME", background.as_secs());
        let max_concurrent_tasks = reader.number("MAX_CONCURRENT_TASKS", 10_000, "a number of tasks");
        let results_dir = reader.get("RESULTS_DIR").map(PathBuf::from);
        let problems = reader.problems;
        match (api_key, environment_id, server, api) {
            (Some(api_key), Some(environment_id), Some(server), Some(api)) if problems.is_empty() => {
                Ok(Self {
                    api_key,
                    environment_id,
                    instance_id,
                    server,
                    api,
                    limits,
                    drain,
                    results_dir,
                    max_concurrent_tasks: usize::try_from(max_concurrent_tasks).unwrap_or(usize::MAX),
                    retry: None,
                    backoff: crate::Backoff::default(),
                })
            }
            _ => Err(EnvironmentError { problems }),
        }
    }

    /// The key, to send it.
    pub(crate) fn api_key(&self) -> &str {
        self.api_key.expose_secret()
    }
}

/// Reads variables and gathers what is wrong with them.
struct Reader {
    vars: HashMap<String, String>,
    problems: Vec<String>,
}

impl Reader {
    /// A variable that is set to something.
    fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn required<T>(
        &mut self,
        name: &str,
        what: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let outcome = match self.get(name) {
            Some(value) => read(value).map_err(|problem| format!("{name} {problem}")),
            None => Err(format!("{name} is missing: {what}")),
        };
        self.note(outcome)
    }

    fn checked<T>(&mut self, name: &str, read: impl FnOnce() -> Result<T, String>) -> Option<T> {
        let outcome = read().map_err(|problem| format!("{name} {problem}"));
        self.note(outcome)
    }

    fn note<T>(&mut self, outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn seconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_secs(self.number(name, default, "a number of seconds"))
    }

    fn number(&mut self, name: &str, default: u64, what: &str) -> u64 {
        let Some(text) = self.get(name) else { return default };
        match text.parse() {
            Ok(number) if number > 0 => number,
            _ => {
                let problem = format!("{name} is not {what} above zero: \"{text}\"");
                self.problems.push(problem);
                default
            }
        }
    }
}

/// An address: a URL of one of the schemes, or a host (and port) that gets the default scheme.
fn address(text: &str, default: &str, aliases: [(&str, &str); 2]) -> Result<Url, String> {
    let given = if text.contains("://") { text.to_owned() } else { format!("{default}://{text}") };
    let mut url = Url::parse(&given).map_err(|error| format!("is not an address: \"{text}\" ({error})"))?;
    let schemes = aliases.map(|(_, scheme)| scheme);
    if let Some((_, scheme)) = aliases.iter().find(|(alias, _)| *alias == url.scheme())
        && let Ok(renamed) = Url::parse(&url.as_str().replacen(url.scheme(), scheme, 1))
    {
        url = renamed;
    }
    if !schemes.contains(&url.scheme()) {
        return Err(format!(
            "is not an address: \"{text}\" (use a host, or a URL that starts with {default}://)"
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(format!("is not an address: \"{text}\" names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or a password".to_owned());
    }
    Ok(url)
}

/// Host and port of an address, which is where REST is unless said otherwise; always https then.
fn host_of(address: &str) -> Option<String> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().map(str::to_owned)
}

/// In a container the host's name is the container's id; elsewhere it stays the same over restarts.
fn default_instance_id() -> String {
    let hostname = std::env::var("HOSTNAME").ok();
    let hostname = hostname.or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    hostname
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| uuid::Uuid::new_v4().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Environment, EnvironmentError> {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::from_vars(vars, false)
    }

    const GOOD: [(&str, &str); 2] =
        [("API_KEY", "ApiKey SU-000:canary"), ("ENVIRONMENT_ID", "ENV-0001-0002-01")];

    #[test]
    fn two_variables_are_enough() {
        let environment = read(&GOOD).unwrap();
        assert_eq!(environment.server.as_str(), "wss://api.connect.cloudblue.com/");
        assert_eq!(environment.api.as_str(), "https://api.connect.cloudblue.com/public/v1");
        assert_eq!(environment.limits.background, Duration::from_secs(300));
        assert_eq!(environment.drain, Duration::from_secs(300));
        assert!(!environment.instance_id.is_empty());
        assert!(!format!("{environment:?}").contains("canary"));
    }

    #[test]
    fn all_problems_are_told_at_once_and_no_secret() {
        let error = read(&[
            ("API_KEY", "canary"),
            ("ENVIRONMENT_ID", "  "),
            ("SERVER_ADDRESS", "ftp://example.com"),
            ("API_ADDRESS", "https://user:canary@example.com"),
            ("BACKGROUND_TASK_MAX_EXECUTION_TIME", "5m"),
            ("INTERACTIVE_TASK_MAX_EXECUTION_TIME", "0"),
        ])
        .unwrap_err();
        let text = error.to_string();
        assert_eq!(error.problems().len(), 6, "{text}");
        for name in
            ["API_KEY is not", "ENVIRONMENT_ID is missing", "SERVER_ADDRESS is not", "API_ADDRESS must not"]
        {
            assert!(text.contains(name), "{name} in {text}");
        }
        assert!(
            text.contains("BACKGROUND_TASK_MAX_EXECUTION_TIME is not a number of seconds above zero: \"5m\"")
        );
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn addresses_may_be_hosts_or_urls() {
        let with = |server: &str, api: Option<&str>| {
            let mut vars = GOOD.to_vec();
            vars.push(("SERVER_ADDRESS", server));
            vars.extend(api.map(|api| ("API_ADDRESS", api)));
            let environment = read(&vars).unwrap();
            (environment.server.to_string(), environment.api.to_string())
        };
        assert_eq!(
            with("a.example", None),
            ("wss://a.example/".into(), "https://a.example/public/v1".into())
        );
        assert_eq!(
            with("ws://127.0.0.1:9", Some("http://127.0.0.1:9")),
            ("ws://127.0.0.1:9/".into(), "http://127.0.0.1:9/public/v1".into())
        );
        assert_eq!(
            with("https://b.example", Some("c.example:8443")),
            ("wss://b.example/".into(), "https://c.example:8443/public/v1".into())
        );
    }
}
