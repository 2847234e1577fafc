use connect_model::{Asset, AssetRequest, Parameter, TierConfiguration, rql::R};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Approval, ShownBy, TemplateChoice, TemplateScope, TemplateType, conversations,
    templates::Templates,
    transition::{Request, transition},
    update,
};
use crate::{Client, Error, Id, Query, Resource};

/// What extensions do with asset requests: look them up, change their parameters, approve, fail, inquire.
///
/// Moving a request to where it stands already is no error: a task can come twice. All give the request as Connect then
/// has it.
///
/// ```no_run
/// # async fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
/// use connect_client::AssetRequests;
///
/// let requests = AssetRequests::new(client);
/// let request = requests.find("PR-0000-0000-0000-001").await?;
/// if request.value("domain").is_none() {
///     requests.inquire_for(&request, [("domain", "Please choose a domain.")], None).await?;
/// } else {
///     requests.approve(&request, "TL-000-000-000").await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AssetRequests {
    client: Client,
}

impl Request for AssetRequest {
    fn status(&self) -> &str {
        self.status.as_str()
    }
}

impl AssetRequests {
    /// The asset requests that a client sees.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    fn resource(&self, request: &AssetRequest) -> Resource {
        self.client.collection("requests").resource(request.id.as_str())
    }

    async fn to(
        &self,
        request: &AssetRequest,
        action: &str,
        payload: Option<Value>,
        wanted: &str,
    ) -> Result<AssetRequest, Error> {
        let resource = self.resource(request);
        transition(&resource, &resource.action(action), payload.as_ref(), wanted).await
    }

    /// The request of this id.
    pub async fn find(&self, id: impl Into<Id>) -> Result<AssetRequest, Error> {
        self.client.collection("requests").get(id).json().await
    }

    /// The asset of this id.
    pub async fn find_asset(&self, id: impl Into<Id>) -> Result<Asset, Error> {
        self.client.collection("assets").get(id).json().await
    }

    /// Asks for requests.
    pub fn query(&self) -> Query {
        self.client.collection("requests").query()
    }

    /// Creates a request, as a distributor does, or as a vendor an adjustment.
    pub async fn create(&self, request: &impl Serialize) -> Result<AssetRequest, Error> {
        self.client.collection("requests").create(request).json().await
    }

    /// Approves a request: with a template, by its id (`"TL-…"`) or by its name ([`TemplateChoice`]).
    pub async fn approve(
        &self,
        request: &AssetRequest,
        approval: impl Into<Approval>,
    ) -> Result<AssetRequest, Error> {
        let approval = approval.into();
        let mut payload = match approval.shown_by {
            ShownBy::Tile(tile) => json!({"activation_tile": tile}),
            ShownBy::Template(template) => {
                json!({"template_id": self.template_id(request, &template, TemplateType::Fulfillment).await?})
            }
        };
        if let Some(date) = approval.effective_date {
            payload["effective_date"] = date.into();
        }
        self.to(request, "approve", Some(payload), "approved").await
    }

    /// Fails a request. What a customer should know of the reason belongs into it.
    pub async fn fail(
        &self,
        request: &AssetRequest,
        reason: impl Into<String>,
    ) -> Result<AssetRequest, Error> {
        self.to(request, "fail", Some(json!({"reason": reason.into()})), "failed").await
    }

    /// Asks the buyer for better parameters. At least one parameter has to be marked by an error; see
    /// [`inquire_for`](Self::inquire_for). Without a template Connect takes the product's first.
    pub async fn inquire(
        &self,
        request: &AssetRequest,
        template: impl Into<Option<TemplateChoice>>,
    ) -> Result<AssetRequest, Error> {
        let payload = match template.into() {
            Some(template) => {
                json!({"template_id": self.template_id(request, &template, TemplateType::Inquire).await?})
            }
            None => json!({}),
        };
        self.to(request, "inquire", Some(payload), "inquiring").await
    }

    /// Asks the buyer for better parameters, in one step: marks these parameters by these errors, and inquires.
    pub async fn inquire_for<I: AsRef<str>, M: AsRef<str>>(
        &self,
        request: &AssetRequest,
        errors: impl IntoIterator<Item = (I, M)>,
        template: impl Into<Option<TemplateChoice>>,
    ) -> Result<AssetRequest, Error> {
        let params: Vec<Value> = errors
            .into_iter()
            .map(|(id, message)| json!({"id": id.as_ref(), "value_error": message.as_ref()}))
            .collect();
        match self.put_params(request, params).await {
            Ok(_) => {}
            // A second time it is inquiring already, and Connect may not take updates any more.
            Err(error) if error.error_code() == Some("REQ_003") => {
                let now = self.find(request.id.as_str()).await?;
                return if now.status() == "inquiring" { Ok(now) } else { Err(error) };
            }
            Err(error) => return Err(error),
        }
        self.inquire(request, template).await
    }

    /// Writes these parameters to Connect; the others stay.
    pub async fn update_params(
        &self,
        request: &AssetRequest,
        params: &[Parameter],
    ) -> Result<AssetRequest, Error> {
        self.put_params(request, params.iter().map(update).collect()).await
    }

    /// Writes the parameters to Connect that have changed since the request was read from it; nothing is sent where none
    /// has.
    pub async fn update_changed(&self, request: &AssetRequest) -> Result<AssetRequest, Error> {
        let update = request.params_update();
        if update.is_empty() {
            return Ok(request.clone());
        }
        self.resource(request).update(&update).json().await
    }

    async fn put_params(&self, request: &AssetRequest, params: Vec<Value>) -> Result<AssetRequest, Error> {
        self.resource(request).update(&json!({"asset": {"params": params}})).json().await
    }

    /// Sends an inquiring or scheduled request back to pending.
    pub async fn pend(&self, request: &AssetRequest) -> Result<AssetRequest, Error> {
        self.to(request, "pend", None, "pending").await
    }

    /// Puts a request off to a date, ISO 8601; Connect makes it pending then.
    pub async fn schedule(
        &self,
        request: &AssetRequest,
        planned_date: impl Into<String>,
    ) -> Result<AssetRequest, Error> {
        self.to(request, "schedule", Some(json!({"planned_date": planned_date.into()})), "scheduled").await
    }

    /// Asks for a scheduled request back, as a distributor does.
    pub async fn revoke(
        &self,
        request: &AssetRequest,
        reason: impl Into<String>,
    ) -> Result<AssetRequest, Error> {
        self.to(request, "revoke", Some(json!({"reason": reason.into()})), "revoking").await
    }

    /// Confirms that a request was taken back.
    pub async fn confirm(&self, request: &AssetRequest) -> Result<AssetRequest, Error> {
        self.to(request, "confirm", None, "revoked").await
    }

    /// Orders a draft, as a distributor does.
    pub async fn purchase(&self, request: &AssetRequest) -> Result<AssetRequest, Error> {
        self.to(request, "purchase", None, "pending").await
    }

    /// Makes a person of the account responsible, by mail address.
    pub async fn assign(&self, request: &AssetRequest, email: impl Into<String>) -> Result<(), Error> {
        self.resource(request).action("assign").post(&json!({"email": email.into()})).empty().await
    }

    /// Makes nobody responsible.
    pub async fn unassign(&self, request: &AssetRequest) -> Result<(), Error> {
        self.resource(request).action("unassign").post_empty().empty().await
    }

    /// Writes a note into the request's conversation, where vendor and distributor read it.
    pub async fn note(&self, request: &AssetRequest, text: impl Into<String>) -> Result<(), Error> {
        conversations::note(&self.client, &request.id, text.into()).await
    }

    /// The other assets of the asset's customer, of all products and whatever their status; a further
    /// [`filter`](Query::filter) narrows it. An asset without a customer has none.
    pub fn other_assets(&self, asset: &Asset) -> Query {
        let customer = asset.tiers.as_ref().and_then(|tiers| tiers.customer.as_ref());
        let query = self.client.collection("assets").query();
        match customer.filter(|customer| !customer.id.is_empty()) {
            Some(customer) => query
                .filter(R::field("tiers.customer.id").eq(customer.id.as_str()))
                .filter(R::field("id").ne(asset.id.as_str())),
            None => query.range(0..0),
        }
    }

    /// The configuration of an asset's tier: 1 is its reseller, 2 the reseller's distributor. `None` where the asset has
    /// no such tier, or the tier no configuration.
    pub async fn tier_configuration(
        &self,
        asset: &Asset,
        level: u8,
    ) -> Result<Option<TierConfiguration>, Error> {
        let tier = asset.tiers.as_ref().and_then(|tiers| match level {
            1 => tiers.tier1.as_ref(),
            2 => tiers.tier2.as_ref(),
            _ => None,
        });
        let (Some(tier), Some(product)) = (tier, &asset.product) else { return Ok(None) };
        let mut filter = R::field("account.id").eq(tier.id.as_str())
            & R::field("product.id").eq(product.id.as_str())
            & R::field("tier_level").eq(u32::from(level));
        if let Some(connection) = &asset.connection {
            filter = filter & R::field("connection.id").eq(connection.id.as_str());
        }
        self.client.path("tier/configs").filter(filter).first().await
    }

    async fn template_id(
        &self,
        request: &AssetRequest,
        template: &TemplateChoice,
        kind: TemplateType,
    ) -> Result<String, Error> {
        let product = request.asset.product.as_ref().map(|product| product.id.as_str());
        Templates::new(&self.client).id(template, product, TemplateScope::Asset, kind).await
    }
}
