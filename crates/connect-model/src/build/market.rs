//! Products, marketplaces, contracts, listings, usage.

use super::{Generator, names::PLACES};
use crate::{
    Account, AccountRole, AccountType, BillingPeriod, ConnectionType, Contract, ContractStatus, ContractType,
    Country, Hub, HubBinding, HubInstance, ListedProduct, Listing, ListingRequest, ListingRequestState,
    ListingRequestType, ListingStatus, Marketplace, ParameterDefinition, ParameterPhase, ParameterScope,
    ParameterType, Precision, Product, ProductItem, ProductItemStatus, ProductItemType, ProductStatus,
    Reference, Template, TemplateScope, TemplateType, Unit, UsageChunk, UsageChunkStatus, UsageFile,
    UsageFileStatus, UsageSchema,
};

impl Generator {
    /// A published product.
    pub fn product(&mut self) -> Product {
        Product {
            id: self.id("PRD", &[3, 3, 3]),
            name: Some(self.product_name()),
            status: ProductStatus::Published,
            short_description: Some("Made for a test".to_owned()),
            owner: Some(Box::new(self.account("VA"))),
            latest: Some(true),
            version: Some(1),
            events: Some(Box::new(self.events())),
            ..Product::default()
        }
    }

    /// A published item of a product, paid monthly for whole licenses.
    pub fn product_item(&mut self, product_id: &str) -> ProductItem {
        let number = self.digits(4);
        ProductItem {
            id: format!("{product_id}-{number}"),
            local_id: Some(format!("{}_{number}", product_id.replace('-', "_"))),
            mpn: Some(format!("MPN-{}", self.digits(5))),
            name: Some(self.product_name()),
            r#type: ProductItemType::Reservation,
            status: ProductItemStatus::Published,
            period: Some("monthly".to_owned()),
            precision: Precision::Integer,
            unit: Some(Box::new(Unit {
                id: "unit".to_owned(),
                title: Some("Licenses".to_owned()),
                ..Unit::default()
            })),
            events: Some(Box::new(self.events())),
            ..ProductItem::default()
        }
    }

    /// A text parameter of assets that the buyer fills in, as a product declares it.
    pub fn parameter_definition(&mut self, product_id: &str, name: &str) -> ParameterDefinition {
        let number = self.digits(4);
        ParameterDefinition {
            id: format!("{}-{number}", product_id.replacen("PRD", "PRM", 1)),
            name: Some(name.to_owned()),
            title: Some(format!("Parameter {name} title")),
            description: Some(format!("Parameter {name} description")),
            r#type: ParameterType::Text,
            scope: ParameterScope::Asset,
            phase: ParameterPhase::Ordering,
            constraints: Some(Box::default()),
            position: Some(10_000),
            events: Some(Box::new(self.events())),
            ..ParameterDefinition::default()
        }
    }

    /// A template of a product.
    pub fn template(&mut self, scope: impl Into<TemplateScope>, of: impl Into<TemplateType>) -> Template {
        Template {
            id: self.id("TL", &[3, 3, 3]),
            title: Some("Default Template".to_owned()),
            name: Some("Default Template".to_owned()),
            body: Some("# Welcome\n\nYour domain is {{ domain }}.".to_owned()),
            scope: scope.into(),
            r#type: of.into(),
            position: Some(10_000),
            events: Some(Box::new(self.events())),
            ..Template::default()
        }
    }

    /// A vendor.
    pub fn vendor(&mut self) -> Account {
        self.account_of("VA", AccountType::Vendor, AccountRole::Vendor)
    }

    /// A distributor.
    pub fn distributor(&mut self) -> Account {
        self.account_of("PA", AccountType::Provider, AccountRole::Distributor)
    }

    fn account_of(&mut self, prefix: &str, of: AccountType, role: AccountRole) -> Account {
        let Reference { id, name, .. } = self.account(prefix);
        Account { id, name, r#type: of, role, events: Some(Box::new(self.events())), ..Account::default() }
    }

    /// A marketplace with one hub and one country.
    pub fn marketplace(&mut self) -> Marketplace {
        let Reference { id, name, .. } = self.marketplace_reference();
        let hub = HubBinding {
            hub: Some(Box::new(self.hub())),
            external_id: Some(self.digits(6)),
            ..HubBinding::default()
        };
        let country = self.one_of(&PLACES).country;
        Marketplace {
            id,
            name,
            owner: Some(Box::new(self.account("PA"))),
            hubs: vec![hub],
            countries: vec![Country { id: country.to_owned(), ..Country::default() }],
            currency: Some("USD".to_owned()),
            events: Some(Box::new(self.events())),
            ..Marketplace::default()
        }
    }

    /// A hub with the system behind it.
    pub fn hub(&mut self) -> Hub {
        Hub {
            id: self.id("HB", &[4, 4]),
            name: Some(self.company()),
            company: Some(Box::new(self.account("PA"))),
            instance: Some(Box::new(HubInstance {
                id: self.uuid(),
                r#type: Some("API".to_owned()),
                ..HubInstance::default()
            })),
            events: Some(Box::new(self.events())),
            ..Hub::default()
        }
    }

    /// A distribution contract in force.
    pub fn contract(&mut self) -> Contract {
        let Reference { id, name, .. } = self.contract_reference();
        Contract {
            id,
            name,
            r#type: ContractType::Distribution,
            status: ContractStatus::Active,
            version: Some(1),
            marketplace: Some(Box::new(self.marketplace_reference())),
            owner: Some(Box::new(self.account("VA"))),
            issuer: Some(Box::new(self.account("PA"))),
            signee: Some(Box::new(self.user_reference())),
            events: Some(Box::new(self.events())),
            ..Contract::default()
        }
    }

    fn user_reference(&mut self) -> Reference {
        let user = self.user();
        Reference { id: user.id, name: user.name, ..Reference::default() }
    }

    /// A product that is offered.
    pub fn listing(&mut self) -> Listing {
        Listing {
            id: self.id("LST", &[3, 3, 3]),
            status: ListingStatus::Listed,
            contract: Some(Box::new(self.contract())),
            product: Some(Box::new(self.listed_product())),
            vendor: Some(Box::new(self.account("VA"))),
            provider: Some(Box::new(self.account("PA"))),
            created: Some(self.moment()),
            updated: Some(self.moment()),
            ..Listing::default()
        }
    }

    fn listed_product(&mut self) -> ListedProduct {
        let Reference { id, name, status, .. } = self.product_reference();
        ListedProduct { id, name, status, version: Some(1), ..ListedProduct::default() }
    }

    /// A request for a new listing, which the distributor looks at.
    pub fn listing_request(&mut self) -> ListingRequest {
        let mut listing = self.listing();
        listing.status = ListingStatus::Unlisted;
        ListingRequest {
            id: format!("{}-001", listing.id.replacen("LST", "LSTR", 1)),
            r#type: ListingRequestType::New,
            state: ListingRequestState::Reviewing,
            product: listing.product.clone(),
            listing: Some(Box::new(listing)),
            creator: Some(Box::new(self.user_reference())),
            created: Some(self.moment()),
            updated: Some(self.moment()),
            events: Some(Box::new(self.events())),
            ..ListingRequest::default()
        }
    }

    /// A usage file that can be submitted.
    pub fn usage_file(&mut self) -> UsageFile {
        UsageFile {
            id: self.id("UF-2026-01", &[4, 4]),
            name: Some("Usage of a month".to_owned()),
            status: UsageFileStatus::Ready,
            product: Some(Box::new(self.product_reference())),
            contract: Some(Box::new(self.contract_reference())),
            marketplace: Some(Box::new(self.marketplace_reference())),
            vendor: Some(Box::new(self.account("VA"))),
            provider: Some(Box::new(self.account("PA"))),
            environment: ConnectionType::Production,
            schema: UsageSchema::Qt,
            period: Some(Box::new(BillingPeriod {
                from: Some("2026-01-01T00:00:00+00:00".to_owned()),
                to: Some("2026-01-31T23:59:59+00:00".to_owned()),
                ..BillingPeriod::default()
            })),
            currency: Some("USD".to_owned()),
            events: Some(Box::new(self.events())),
            ..UsageFile::default()
        }
    }

    /// A usage chunk that can be billed.
    pub fn usage_chunk(&mut self) -> UsageChunk {
        let file = self.usage_file();
        UsageChunk {
            id: format!("{}-001", file.id),
            status: UsageChunkStatus::Ready,
            outdated: Some(false),
            usagefile: Some(Box::new(Reference { id: file.id, name: file.name, ..Reference::default() })),
            marketplace: file.marketplace,
            provider: file.provider,
            events: file.events,
            ..UsageChunk::default()
        }
    }
}
