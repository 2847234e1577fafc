use std::{borrow::Cow, fmt, str::FromStr, sync::Arc, time::Duration};

use connect_cache::Cache;
use connect_client::RetryPolicy;
use connect_container::{Bindings, BoxError, Config, ConfigError, ServiceProvider};

use crate::{Auth, OAuth2, VendorClient, VendorClientBuilder};

type Configure = dyn Fn(VendorClientBuilder) -> VendorClientBuilder + Send + Sync;

/// Binds [`VendorClient`], made as variables say. With the prefix `VENDOR`:
///
/// | variable | what it is | default |
/// |---|---|---|
/// | `VENDOR_URL` | the address that paths are below of | has to be set |
/// | `VENDOR_AUTH` | `none`, `basic`, `bearer`, `api_key`, `oauth2` | `none` |
/// | `VENDOR_USER`, `VENDOR_PASSWORD` | for `basic` | |
/// | `VENDOR_TOKEN` | for `bearer` | |
/// | `VENDOR_API_KEY`, `VENDOR_API_KEY_HEADER` | for `api_key` | header `X-Api-Key` |
/// | `VENDOR_TOKEN_URL`, `VENDOR_CLIENT_ID`, `VENDOR_CLIENT_SECRET`, `VENDOR_SCOPE` | for `oauth2` | no scope |
/// | `VENDOR_TIMEOUT` | seconds a call may take in all | 120 |
/// | `VENDOR_RETRIES` | further tries of a call | 3 |
/// | `VENDOR_MAX_CONCURRENT_CALLS` | calls under way at once | 16 |
///
/// The token of `oauth2` is kept in `Arc<dyn Cache>`, where that is bound. What is missing or wrong is one error, which names
/// no value.
///
/// ```
/// use connect_container::Container;
/// use connect_vendor::{VendorClient, VendorServiceProvider};
///
/// let config = [("VENDOR_URL", "https://api.vendor.example/v1"), ("VENDOR_AUTH", "bearer"), ("VENDOR_TOKEN", "t")];
/// let container =
///     Container::builder().config(config.into_iter().collect()).provider(VendorServiceProvider::new("VENDOR")).build()?;
/// let vendor: VendorClient = container.get()?;
/// # Ok::<(), connect_container::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct VendorServiceProvider {
    prefix: String,
    name: Option<Cow<'static, str>>,
    configure: Option<Arc<Configure>>,
}

impl VendorServiceProvider {
    /// From the variables with this prefix.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), name: None, configure: None }
    }

    /// Binds the client by a name too little known for its type: `#[inject(name = "billing")]`. For several vendors.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What variables don't say: headers, policies, a user agent.
    pub fn configure(
        mut self,
        configure: impl Fn(VendorClientBuilder) -> VendorClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Arc::new(configure));
        self
    }

    fn make(&self, config: &Config, cache: Option<Arc<dyn Cache>>) -> Result<VendorClient, BoxError> {
        let mut read = Read { config, prefix: &self.prefix, problems: Vec::new() };
        let url = read.text("URL");
        let auth = read.auth(cache);
        let timeout: Option<u64> = read.parse("TIMEOUT");
        let retries: Option<u32> = read.parse("RETRIES");
        let calls: Option<usize> = read.parse("MAX_CONCURRENT_CALLS");
        ConfigError::all(read.problems)?;
        let mut builder = VendorClient::builder(url).auth(auth);
        if let Some(seconds) = timeout {
            builder = builder.timeout(Duration::from_secs(seconds));
        }
        if let Some(retries) = retries {
            builder = builder.retry(RetryPolicy::default().retries(retries));
        }
        if let Some(calls) = calls {
            builder = builder.max_concurrent_calls(calls);
        }
        if let Some(configure) = &self.configure {
            builder = configure(builder);
        }
        Ok(builder.build()?)
    }
}

/// Reads variables and remembers what is wrong with them.
struct Read<'a> {
    config: &'a Config,
    prefix: &'a str,
    problems: Vec<ConfigError>,
}

impl Read<'_> {
    fn name(&self, name: &str) -> String {
        format!("{}_{name}", self.prefix)
    }

    fn text(&mut self, name: &str) -> String {
        match self.config.require(&self.name(name)) {
            Ok(text) => text.to_owned(),
            Err(problem) => {
                self.problems.push(problem);
                String::new()
            }
        }
    }

    fn parse<T: FromStr<Err: fmt::Display>>(&mut self, name: &str) -> Option<T> {
        self.config.parse(&self.name(name)).unwrap_or_else(|problem| {
            self.problems.push(problem);
            None
        })
    }

    fn auth(&mut self, cache: Option<Arc<dyn Cache>>) -> Auth {
        match self.parse::<Scheme>("AUTH").unwrap_or(Scheme::None) {
            Scheme::None => Auth::none(),
            Scheme::Basic => Auth::basic(self.text("USER"), self.text("PASSWORD")),
            Scheme::Bearer => Auth::bearer(self.text("TOKEN")),
            Scheme::ApiKey => {
                let header = self.config.get(&self.name("API_KEY_HEADER")).unwrap_or("X-Api-Key").to_owned();
                Auth::api_key(header, self.text("API_KEY"))
            }
            Scheme::OAuth2 => {
                let url = self.text("TOKEN_URL");
                let mut oauth2 = OAuth2::new(url, self.text("CLIENT_ID"), self.text("CLIENT_SECRET"));
                if let Some(scope) = self.config.get(&self.name("SCOPE")) {
                    oauth2 = oauth2.scope(scope);
                }
                if let Some(cache) = cache {
                    oauth2 = oauth2.cache(cache);
                }
                Auth::oauth2(oauth2)
            }
        }
    }
}

enum Scheme {
    None,
    Basic,
    Bearer,
    ApiKey,
    OAuth2,
}

impl FromStr for Scheme {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "basic" => Self::Basic,
            "bearer" => Self::Bearer,
            "api_key" => Self::ApiKey,
            "oauth2" => Self::OAuth2,
            _ => return Err("it has to be one of none, basic, bearer, api_key, oauth2"),
        })
    }
}

impl ServiceProvider for VendorServiceProvider {
    fn register(&self, bind: &mut Bindings) {
        let this = self.clone();
        let make = move |resolver: &connect_container::Resolver<'_>| {
            this.make(&resolver.get()?, resolver.find::<Arc<dyn Cache>>()?)
        };
        match &self.name {
            Some(name) => bind.shared_named(name.clone(), make),
            None => bind.shared(make),
        };
    }
}

impl fmt::Debug for VendorServiceProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorServiceProvider")
            .field("prefix", &self.prefix)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use connect_container::Container;

    use super::*;

    fn make(variables: &[(&str, &str)]) -> Result<VendorClient, String> {
        let config = variables.iter().copied().collect();
        VendorServiceProvider::new("V").make(&config, None).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_say_how_it_is_made() {
        let url = ("V_URL", "https://api.vendor.example");
        let auth = |variables: &[(&'static str, &'static str)]| {
            let made = make(&[&[url], variables].concat());
            made.map(|client| format!("{:?}", client.auth()))
        };
        assert_eq!(auth(&[]).as_deref(), Ok("Auth::none"));
        assert_eq!(
            auth(&[("V_AUTH", "Basic"), ("V_USER", "u"), ("V_PASSWORD", "p")]).as_deref(),
            Ok("Auth::basic")
        );
        assert_eq!(auth(&[("V_AUTH", "bearer"), ("V_TOKEN", "t")]).as_deref(), Ok("Auth::bearer"));
        assert_eq!(auth(&[("V_AUTH", "api_key"), ("V_API_KEY", "k")]).as_deref(), Ok("Auth::api_key"));
        let oauth2 = [
            ("V_AUTH", "oauth2"),
            ("V_TOKEN_URL", "https://login.vendor.example"),
            ("V_CLIENT_ID", "c"),
            ("V_CLIENT_SECRET", "s"),
        ];
        assert_eq!(auth(&oauth2).as_deref(), Ok("Auth::oauth2"));
    }

    #[test]
    fn several_vendors_are_told_apart_by_name() {
        let config = [("A_URL", "https://a.example"), ("B_URL", "https://b.example")].into_iter().collect();
        let container = Container::builder()
            .config(config)
            .provider(VendorServiceProvider::new("A").named("first"))
            .provider(VendorServiceProvider::new("B").named("second").configure(|builder| builder.name("B")))
            .build()
            .unwrap();
        let client = |name| container.get_named::<VendorClient>(name).unwrap();
        assert_eq!(client("first").base_url().as_str(), "https://a.example/");
        assert_eq!(
            (client("second").base_url().as_str(), client("second").name()),
            ("https://b.example/", "B")
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_no_value() {
        let error = make(&[("V_AUTH", "oauth2"), ("V_CLIENT_ID", "c"), ("V_TIMEOUT", "canary")]).unwrap_err();
        for missing in
            ["V_URL is not set", "V_TOKEN_URL is not set", "V_CLIENT_SECRET is not set", "V_TIMEOUT"]
        {
            assert!(error.contains(missing), "{error}");
        }
        assert!(!error.contains("canary"), "{error}");
        let error = make(&[("V_URL", "https://x.example"), ("V_AUTH", "magic")]).unwrap_err();
        assert!(error.contains("none, basic, bearer, api_key, oauth2"), "{error}");
    }
}
