//! Requests, assets, tier configurations, and what stands in them.

use super::Generator;
use crate::{
    Asset, AssetRequest, AssetStatus, Configuration, Connection, ConnectionStatus, ConnectionType, Hub, Item,
    ItemType, Parameter, ParameterPhase, ParameterScope, ParameterType, Period, Quantity, Reference,
    RequestStatus, RequestType, Template, TierAccountRequest, TierAccountRequestStatus, TierConfigRequest,
    TierConfigRequestType, TierConfiguration, TierConfigurationStatus, Tiers,
};

impl Generator {
    /// A pending request about an asset, as it stands when the vendor gets it.
    ///
    /// The asset's status is the one a request of this type finds; a purchase brings new items, a change lets the first
    /// one grow, a cancellation lets all go.
    pub fn asset_request(&mut self, of: RequestType) -> AssetRequest {
        let asset = self.asset_of(&of);
        let running_number = self.up_to(9);
        let (created, updated) = (self.moment(), self.moment());
        AssetRequest {
            id: format!("{}-00{running_number}", asset.id.replacen("AS", "PR", 1)),
            r#type: of,
            status: RequestStatus::Pending,
            note: Some(String::new()),
            reason: Some(String::new()),
            created: Some(created),
            updated: Some(updated),
            answered: Some(false),
            assignee: Some(Box::new(self.user())),
            template: Some(Box::new(self.template_reference())),
            marketplace: asset.marketplace.clone(),
            contract: asset.contract.clone(),
            asset,
            ..AssetRequest::default()
        }
    }

    /// A pending purchase.
    pub fn purchase(&mut self) -> AssetRequest {
        self.asset_request(RequestType::Purchase)
    }

    /// A pending change.
    pub fn change(&mut self) -> AssetRequest {
        self.asset_request(RequestType::Change)
    }

    /// A pending cancellation.
    pub fn cancel(&mut self) -> AssetRequest {
        self.asset_request(RequestType::Cancel)
    }

    /// A purchase that is a draft, as a validation gets it.
    pub fn draft(&mut self) -> AssetRequest {
        self.purchase().with_status(RequestStatus::Draft).with_asset_status(AssetStatus::Draft)
    }

    /// An active asset.
    pub fn asset(&mut self) -> Asset {
        self.asset_of(&RequestType::Adjustment)
    }

    fn asset_of(&mut self, request: &RequestType) -> Asset {
        let status = match request {
            RequestType::Purchase => AssetStatus::Processing,
            RequestType::Resume => AssetStatus::Suspended,
            RequestType::Cancel => AssetStatus::Terminating,
            _ => AssetStatus::Active,
        };
        let connection = self.connection();
        let product = self.product_reference();
        let mut items = vec![self.item(&product.id), self.item(&product.id)];
        for (at, item) in items.iter_mut().enumerate() {
            let quantity = item.quantity.clone();
            match request {
                // There was none before.
                RequestType::Purchase => {}
                RequestType::Change if at == 0 => {
                    item.quantity = Some(Quantity::from(self.up_to(10) + 20));
                    item.old_quantity = quantity;
                }
                RequestType::Cancel => {
                    item.old_quantity = quantity;
                    item.quantity = Some(Quantity::default());
                }
                _ => item.old_quantity = quantity,
            }
        }
        Asset {
            id: self.id("AS", &[4, 4, 4]),
            status,
            external_id: Some(self.digits(7)),
            external_uid: Some(self.uuid()),
            product: Some(Box::new(product)),
            connection: Some(Box::new(connection)),
            events: Some(Box::new(self.events())),
            items,
            tiers: Some(Box::new(Tiers {
                customer: Some(Box::new(self.customer())),
                tier1: Some(Box::new(self.reseller())),
                ..Tiers::default()
            })),
            configuration: Some(Box::default()),
            marketplace: Some(Box::new(self.marketplace_reference())),
            contract: Some(Box::new(self.contract_reference())),
            ..Asset::default()
        }
    }

    /// An item of an asset, of up to twenty, which were not there before.
    pub fn item(&mut self, product_id: &str) -> Item {
        let number = self.digits(4);
        Item {
            id: format!("{}_{number}", product_id.replace('-', "_")),
            global_id: Some(format!("{product_id}-{number}")),
            mpn: Some(format!("MPN-{}", self.digits(5))),
            display_name: Some(self.product_name()),
            quantity: Some(Quantity::from(self.up_to(20))),
            old_quantity: Some(Quantity::default()),
            r#type: Some("Licenses".to_owned()),
            period: Period::Monthly,
            item_type: ItemType::Reservation,
            ..Item::default()
        }
    }

    /// A text parameter of an asset without a value, to be filled by the vendor.
    pub fn parameter(&mut self, id: &str) -> Parameter {
        Parameter {
            id: id.to_owned(),
            name: Some(id.to_owned()),
            title: Some(format!("Parameter {id} title")),
            description: Some(format!("Parameter {id} description")),
            r#type: ParameterType::Text,
            scope: ParameterScope::Asset,
            phase: ParameterPhase::Fulfillment,
            value: Some(String::new()),
            value_error: Some(String::new()),
            ..Parameter::default()
        }
    }

    /// A pending request about the configuration of a tier 1 account.
    pub fn tier_config_request(&mut self, of: TierConfigRequestType) -> TierConfigRequest {
        let mut configuration = self.tier_configuration();
        configuration.status = TierConfigurationStatus::Processing;
        let id = format!("{}-{}", configuration.id.replacen("TC", "TCR", 1), self.digits(3));
        configuration.open_request = Some(Box::new(Reference { id: id.clone(), ..Reference::default() }));
        TierConfigRequest {
            id,
            r#type: of,
            status: RequestStatus::Pending,
            assignee: Some(Box::new(self.user())),
            template: Some(Box::new(self.template_reference())),
            environment: ConnectionType::Production,
            tiers: configuration
                .account
                .clone()
                .map(|account| Box::new(Tiers { tier1: Some(account), ..Tiers::default() })),
            events: Some(Box::new(self.events())),
            configuration,
            ..TierConfigRequest::default()
        }
    }

    /// A pending request for the first configuration of a tier 1 account.
    pub fn tier_config_setup(&mut self) -> TierConfigRequest {
        self.tier_config_request(TierConfigRequestType::Setup)
    }

    /// The active configuration of a tier 1 account.
    pub fn tier_configuration(&mut self) -> TierConfiguration {
        let account = self.reseller();
        TierConfiguration {
            id: self.id("TC", &[3, 3, 3]),
            name: Some(format!("Configuration of {}", account.name.as_deref().unwrap_or_default())),
            status: TierConfigurationStatus::Active,
            account: Some(Box::new(account)),
            product: Some(Box::new(self.product_reference())),
            tier_level: Some(1),
            connection: Some(Box::new(self.connection())),
            configuration: Some(Box::new(Configuration::default())),
            marketplace: Some(Box::new(self.marketplace_reference())),
            contract: Some(Box::new(self.contract_reference())),
            events: Some(Box::new(self.events())),
            ..TierConfiguration::default()
        }
    }

    /// A pending update of a customer's account.
    pub fn tier_account_request(&mut self) -> TierAccountRequest {
        let mut account = self.customer();
        account.version = Some(2);
        TierAccountRequest {
            id: format!("{}-002-001", account.id.replacen("TA", "TAR", 1)),
            r#type: Some("update".to_owned()),
            status: TierAccountRequestStatus::Pending,
            account: Some(Box::new(account)),
            vendor: Some(Box::new(self.account("VA"))),
            provider: Some(Box::new(self.account("PA"))),
            product: Some(Box::new(self.product_reference())),
            events: Some(Box::new(self.events())),
            ..TierAccountRequest::default()
        }
    }

    /// A connection for real business.
    pub fn connection(&mut self) -> Connection {
        Connection {
            id: self.id("CT", &[4, 4]),
            r#type: ConnectionType::Production,
            status: ConnectionStatus::Approved,
            provider: Some(Box::new(self.account("PA"))),
            vendor: Some(Box::new(self.account("VA"))),
            hub: Some(Box::new(Hub {
                id: self.id("HB", &[4, 4]),
                name: Some(self.company()),
                ..Hub::default()
            })),
            created_at: Some(self.moment()),
            ..Connection::default()
        }
    }

    pub(super) fn product_reference(&mut self) -> Reference {
        let mut product = Reference::new(self.id("PRD", &[3, 3, 3]), self.product_name());
        product.status = Some("published".to_owned());
        product
    }

    pub(super) fn marketplace_reference(&mut self) -> Reference {
        let company = self.company();
        Reference::new(self.id("MP", &[5]), format!("{company} Marketplace"))
    }

    pub(super) fn contract_reference(&mut self) -> Reference {
        let company = self.company();
        let mut contract = Reference::new(self.id("CRD", &[5, 5, 5]), format!("Contract of {company}"));
        contract.r#type = Some("distribution".to_owned());
        contract
    }

    fn template_reference(&mut self) -> Template {
        Template {
            id: self.id("TL", &[3, 3, 3]),
            name: Some("Default Pending Template".to_owned()),
            ..Template::default()
        }
    }
}
