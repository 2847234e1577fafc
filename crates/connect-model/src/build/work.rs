//! What interactive and scheduled tasks carry, and what accounts talk about.

use serde_json::{Map, Value, json};

use super::Generator;
use crate::{
    AccountRole, Asset, Case, CaseParty, CaseState, CaseType, CustomEvent, Installation, InstallationStatus,
    JwtPayload, ProductAction, Reference, Schedule,
    devops::{
        Environment, EnvironmentType, Owner, Runtime, ScheduleStatus, Trigger, TriggerType, TriggerUnit,
    },
};

fn map(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}

impl Generator {
    /// The press of a product's action button on an asset; its token is none that anybody signed.
    pub fn product_action(&mut self, action: &str, asset: &Asset) -> ProductAction {
        let payload = JwtPayload {
            action_id: Some(action.to_owned()),
            api_url: Some("https://api.connect.cloudblue.com".to_owned()),
            asset_id: Some(asset.id.clone()),
            // The first moment of 2100.
            exp: Some(4_102_444_800),
            ..JwtPayload::default()
        };
        ProductAction {
            method: Some("GET".to_owned()),
            querystring: map(json!({"jwt": [self.uuid()]})),
            headers: map(json!({"Accept": "text/html", "Host": self.domain()})),
            jwt_payload: Some(payload),
            ..ProductAction::default()
        }
    }

    /// A call of a third party with this body.
    pub fn custom_event(&mut self, body: impl Into<Value>) -> CustomEvent {
        CustomEvent {
            method: Some("POST".to_owned()),
            headers: map(json!({"Content-Type": "application/json", "Host": self.domain()})),
            body: Some(body.into()),
            ..CustomEvent::default()
        }
    }

    /// A schedule that runs this method each hour.
    pub fn schedule(&mut self, method: &str) -> Schedule {
        let environment = self.environment();
        Schedule {
            id: format!("{}-{}", environment.id.replacen("ENV", "EFS", 1), self.digits(4)),
            name: Some(method.to_owned()),
            description: Some(format!("Runs {method}")),
            method: method.to_owned(),
            trigger: Some(Box::new(Trigger {
                r#type: TriggerType::Recurring,
                start: Some(self.moment()),
                unit: TriggerUnit::Hours,
                amount: Some(1),
                ..Trigger::default()
            })),
            environment: Some(Box::new(environment)),
            status: ScheduleStatus::Enabled,
            events: Some(Box::new(self.events())),
            ..Schedule::default()
        }
    }

    /// An extension in a distributor's account.
    pub fn installation(&mut self) -> Installation {
        let Reference { id, name, .. } = self.account("PA");
        Installation {
            id: self.id("EIN", &[4, 4, 4]),
            status: InstallationStatus::Installed,
            owner: Some(Box::new(Owner { id, name, role: AccountRole::Distributor, ..Owner::default() })),
            environment: Some(Box::new(self.environment())),
            events: Some(Box::new(self.events())),
            ..Installation::default()
        }
    }

    fn environment(&mut self) -> Environment {
        Environment {
            id: format!("{}-03", self.id("ENV", &[4, 4])),
            r#type: EnvironmentType::Production,
            runtime: Runtime::Local,
            ..Environment::default()
        }
    }

    /// A technical case that waits for the vendor.
    pub fn case(&mut self) -> Case {
        let mut party = |prefix: &str| {
            let account = Some(Box::new(self.account(prefix)));
            Some(Box::new(CaseParty { account, ..CaseParty::default() }))
        };
        let (issuer, receiver) = (party("PA"), party("VA"));
        Case {
            id: self.id("CA", &[3, 3, 3]),
            subject: Some("A user can't sign in".to_owned()),
            priority: Some(1),
            state: CaseState::Pending,
            r#type: CaseType::Technical,
            issuer,
            receiver,
            events: Some(Box::new(self.events())),
            ..Case::default()
        }
    }
}
