use connect_model::{Parameter, TierConfigRequest, TierConfiguration};
use serde_json::{Value, json};

use super::{
    Approval, ShownBy, TemplateChoice, TemplateScope, TemplateType, conversations,
    templates::Templates,
    transition::{Request, transition},
    update,
};
use crate::{Client, Error, Id, Query, Resource};

/// What extensions do with tier config requests: look them up, change their parameters, approve, fail, inquire.
///
/// Moving a request to where it stands already is no error: a task can come twice. All give the request as Connect then
/// has it.
///
/// ```no_run
/// # async fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
/// use connect_client::{TemplateChoice, TierConfigRequests};
///
/// let requests = TierConfigRequests::new(client);
/// let request = requests.find("TCR-000-000-000-001").await?;
/// requests.approve(&request, TemplateChoice::first()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TierConfigRequests {
    client: Client,
}

impl Request for TierConfigRequest {
    fn status(&self) -> &str {
        self.status.as_str()
    }
}

impl TierConfigRequests {
    /// The tier config requests that a client sees.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    fn resource(&self, id: impl Into<Id>) -> Resource {
        self.client.path("tier/config-requests").resource(id)
    }

    async fn to(
        &self,
        request: &TierConfigRequest,
        action: &str,
        payload: Option<Value>,
        wanted: &str,
    ) -> Result<TierConfigRequest, Error> {
        let resource = self.resource(request.id.as_str());
        transition(&resource, &resource.action(action), payload.as_ref(), wanted).await
    }

    /// The request of this id.
    pub async fn find(&self, id: impl Into<Id>) -> Result<TierConfigRequest, Error> {
        self.resource(id).get().json().await
    }

    /// The configuration of this id.
    pub async fn find_configuration(&self, id: impl Into<Id>) -> Result<TierConfiguration, Error> {
        self.client.path("tier/configs").get(id).json().await
    }

    /// Asks for requests.
    pub fn query(&self) -> Query {
        self.client.path("tier/config-requests").query()
    }

    /// Approves a request: with a template, by its id (`"TL-…"`) or by its name ([`TemplateChoice`]). A tier config
    /// request knows no [tile](Approval::tile).
    pub async fn approve(
        &self,
        request: &TierConfigRequest,
        approval: impl Into<Approval>,
    ) -> Result<TierConfigRequest, Error> {
        let approval = approval.into();
        let ShownBy::Template(template) = approval.shown_by else {
            return Err(Error::usage("a tier config request is approved with a template, not with a tile"));
        };
        let mut shown_by = json!({"id": self.template_id(request, &template).await?});
        if let Some(date) = approval.effective_date {
            shown_by["effective_date"] = date.into();
        }
        self.to(request, "approve", Some(json!({"template": shown_by})), "approved").await
    }

    /// Fails a request.
    pub async fn fail(
        &self,
        request: &TierConfigRequest,
        reason: impl Into<String>,
    ) -> Result<TierConfigRequest, Error> {
        self.to(request, "fail", Some(json!({"reason": reason.into()})), "failed").await
    }

    /// Asks for better parameters. At least one has to be marked by an error; see [`inquire_for`](Self::inquire_for).
    pub async fn inquire(&self, request: &TierConfigRequest) -> Result<TierConfigRequest, Error> {
        self.to(request, "inquire", None, "inquiring").await
    }

    /// Asks for better parameters, in one step: marks these parameters by these errors, and inquires.
    pub async fn inquire_for<I: AsRef<str>, M: AsRef<str>>(
        &self,
        request: &TierConfigRequest,
        errors: impl IntoIterator<Item = (I, M)>,
    ) -> Result<TierConfigRequest, Error> {
        let params: Vec<Value> = errors
            .into_iter()
            .map(|(id, message)| json!({"id": id.as_ref(), "value_error": message.as_ref()}))
            .collect();
        match self.put_params(request, params).await {
            Ok(_) => self.inquire(request).await,
            Err(error) if error.error_code() == Some("TC_006") => {
                let now = self.find(request.id.as_str()).await?;
                if now.status() == "inquiring" { Ok(now) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    /// Writes these parameters to Connect; the others stay.
    pub async fn update_params(
        &self,
        request: &TierConfigRequest,
        params: &[Parameter],
    ) -> Result<TierConfigRequest, Error> {
        self.put_params(request, params.iter().map(update).collect()).await
    }

    /// Writes the parameters to Connect that have changed since the request was read from it; nothing is sent where none
    /// has.
    pub async fn update_changed(&self, request: &TierConfigRequest) -> Result<TierConfigRequest, Error> {
        let update = request.params_update();
        if update.is_empty() {
            return Ok(request.clone());
        }
        self.resource(request.id.as_str()).update(&update).json().await
    }

    async fn put_params(
        &self,
        request: &TierConfigRequest,
        params: Vec<Value>,
    ) -> Result<TierConfigRequest, Error> {
        self.resource(request.id.as_str()).update(&json!({"params": params})).json().await
    }

    /// Sends an inquiring request back to pending.
    pub async fn pend(&self, request: &TierConfigRequest) -> Result<TierConfigRequest, Error> {
        self.to(request, "pend", None, "pending").await
    }

    /// Makes a person of the account responsible, by mail address.
    pub async fn assign(&self, request: &TierConfigRequest, email: impl Into<String>) -> Result<(), Error> {
        let action = self.resource(request.id.as_str()).action("assign");
        action.post(&json!({"email": email.into()})).empty().await
    }

    /// Makes nobody responsible.
    pub async fn unassign(&self, request: &TierConfigRequest) -> Result<(), Error> {
        self.resource(request.id.as_str()).action("unassign").post_empty().empty().await
    }

    /// Writes a note into the request's conversation, where vendor and distributor read it.
    pub async fn note(&self, request: &TierConfigRequest, text: impl Into<String>) -> Result<(), Error> {
        conversations::note(&self.client, &request.id, text.into()).await
    }

    async fn template_id(
        &self,
        request: &TierConfigRequest,
        template: &TemplateChoice,
    ) -> Result<String, Error> {
        let product = request.configuration.product.as_ref().map(|product| product.id.as_str());
        let scope = match request.configuration.tier_level {
            Some(2) => TemplateScope::Tier2,
            _ => TemplateScope::Tier1,
        };
        Templates::new(&self.client).id(template, product, scope, TemplateType::Fulfillment).await
    }
}
