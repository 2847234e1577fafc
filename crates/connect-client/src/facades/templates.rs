use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::OnceCell, time::Instant};

use crate::{Client, Error};

/// How long the templates of a product are believed to be as they were. They are edited by hand, and seldom.
const BELIEVED: Duration = Duration::from_secs(300);

/// Which template: by its id, by its name, or the product's first for the purpose.
///
/// A name, and the first, are looked up among the product's templates of the right scope and type; what was found is
/// kept for five minutes, for all tasks.
///
/// ```
/// use connect_client::TemplateChoice;
///
/// let variable = Some("TL-000-000-000");
/// assert_eq!(TemplateChoice::from_variable(variable), TemplateChoice::from("TL-000-000-000"));
/// assert_eq!(TemplateChoice::from_variable(None), TemplateChoice::first());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct TemplateChoice(Choice);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    Id(String),
    Named(String),
    First,
}

impl TemplateChoice {
    /// The template of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self(Choice::Named(name.into()))
    }

    /// The first of the product's templates for the purpose.
    pub fn first() -> Self {
        Self(Choice::First)
    }

    /// The template whose id stands in a variable of the extension; the first where the variable is missing or blank.
    pub fn from_variable(id: Option<&str>) -> Self {
        match id.map(str::trim).filter(|id| !id.is_empty()) {
            Some(id) => Self::from(id),
            None => Self::first(),
        }
    }
}

macro_rules! choice_from {
    ($($type:ty),*) => {$(
        impl From<$type> for TemplateChoice {
            fn from(id: $type) -> Self {
                Self(Choice::Id(id.into()))
            }
        }
    )*};
}

choice_from!(&str, String, &String);

/// What a template shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TemplateScope {
    /// An asset.
    Asset,
    /// The configuration of a reseller.
    Tier1,
    /// The configuration of a reseller's distributor.
    Tier2,
}

/// When a template is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TemplateType {
    /// Once it is approved.
    Fulfillment,
    /// While the buyer is asked for better parameters.
    Inquire,
    /// While it is processed.
    Pending,
}

impl fmt::Display for TemplateScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asset => "asset",
            Self::Tier1 => "tier1",
            Self::Tier2 => "tier2",
        })
    }
}

impl fmt::Display for TemplateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fulfillment => "fulfillment",
            Self::Inquire => "inquire",
            Self::Pending => "pending",
        })
    }
}

/// A template as far as it takes to choose it.
#[derive(Debug)]
struct Known {
    id: String,
    names: [Option<String>; 2],
    scope: Option<String>,
    r#type: Option<String>,
}

impl Known {
    fn read(template: &Value) -> Self {
        let text = |name: &str| template[name].as_str().map(str::to_owned);
        Self {
            id: text("id").unwrap_or_default(),
            names: [text("name"), text("title")],
            scope: text("scope"),
            r#type: text("type"),
        }
    }
}

/// The templates of products, as seen by an account.
type Seen = HashMap<(String, String), (Instant, Arc<OnceCell<Vec<Known>>>)>;

/// What was found, for all clients of one making.
#[derive(Debug, Default)]
pub(crate) struct TemplateCache(Mutex<Seen>);

impl TemplateCache {
    fn cell(&self, account: &str, product: &str) -> Arc<OnceCell<Vec<Known>>> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        seen.retain(|_, (since, _)| now.duration_since(*since) < BELIEVED);
        let (_, cell) =
            seen.entry((account.to_owned(), product.to_owned())).or_insert_with(|| (now, Arc::default()));
        Arc::clone(cell)
    }
}

pub(super) struct Templates<'a> {
    client: &'a Client,
}

impl<'a> Templates<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// The id of the chosen template.
    pub(super) async fn id(
        &self,
        choice: &TemplateChoice,
        product: Option<&str>,
        scope: TemplateScope,
        kind: TemplateType,
    ) -> Result<String, Error> {
        let name = match &choice.0 {
            Choice::Id(id) => return Ok(id.clone()),
            Choice::Named(name) => Some(name),
            Choice::First => None,
        };
        let product = product.ok_or_else(|| {
            Error::usage("a template is looked up among those of the product, and the request names none")
        })?;
        let cell = self.client.template_cache().cell(self.client.key_id(), product);
        let load = || async {
            let templates =
                self.client.collection("products").resource(product).collection("templates").query();
            Ok::<_, Error>(templates.all::<Value>().await?.iter().map(Known::read).collect())
        };
        let templates: &Vec<Known> = cell.get_or_try_init(load).await?;
        let (scope, kind) = (scope.to_string(), kind.to_string());
        let is_chosen = |template: &&Known| {
            template.scope.as_ref() == Some(&scope)
                // Templates of tiers may lack a type.
                && template.r#type.as_ref().map_or(kind == "fulfillment", |own| *own == kind)
                && name.is_none_or(|name| template.names.iter().flatten().any(|own| own == name))
        };
        templates.iter().find(is_chosen).map(|template| template.id.clone()).ok_or_else(|| {
            let named = name.map(|name| format!(" named \"{name}\"")).unwrap_or_default();
            Error::missing(format!(
                "the product {product} has no template{named} of scope {scope} and type {kind}"
            ))
        })
    }
}
