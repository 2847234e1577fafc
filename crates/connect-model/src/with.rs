//! Setting members one after the other, for what makes objects: tests, tools, requests to be created.
//!
//! The names are those of the Python business objects. Nothing that a setter does not name is lost.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    Asset, AssetRequest, AssetStatus, Configuration, Connection, ConnectionType, ContactInfo, EventLog,
    Extra, Hub, Item, ItemType, LogEntry, Parameter, ParameterType, ParamsExt, Period, Quantity, Reference,
    RequestStatus, RequestType, Template, Tier, TierAccount, TierAccountType, TierConfigRequest,
    TierConfigRequestType, TierConfiguration, TierConfigurationStatus, Tiers, User,
};

impl Reference {
    /// A reference to an object, with its name.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: Some(name.into()), ..Self::default() }
    }
}

/// Sets what is given; a reference that was there keeps the rest.
fn refer(slot: &mut Option<Box<Reference>>, id: impl Into<String>, name: Option<String>) {
    let reference = slot.get_or_insert_default();
    reference.id = id.into();
    if name.is_some() {
        reference.name = name;
    }
}

/// Members as they stand in the JSON, for what no type names.
macro_rules! with_members {
    ($($type:ty),*) => {$(
        impl $type {
            /// Sets a member that the type does not name.
            #[must_use]
            pub fn with_member(
                mut self,
                name: impl Into<Cow<'static, str>>,
                value: impl Into<Value>,
            ) -> Self {
                self.extra.insert(name, value);
                self
            }

            /// Takes a member away that the type does not name.
            #[must_use]
            pub fn without_member(mut self, name: &str) -> Self {
                self.extra.remove(name);
                self
            }
        }
    )*};
}

with_members!(AssetRequest, Asset, Item, Parameter, TierConfigRequest, TierConfiguration, TierAccount);

/// Sets the value of a parameter: an object or a list is its structured value, anything else its text.
fn set_value(param: &mut Parameter, value: Value) {
    match value {
        Value::Object(_) | Value::Array(_) => param.structured_value = Some(Box::new(value)),
        Value::String(text) => param.value = Some(text),
        Value::Null => param.value = None,
        Value::Bool(_) | Value::Number(_) => param.value = Some(value.to_string()),
    }
}

/// Sets a parameter whole; what Connect has of it stays known.
fn replace(slot: &mut Parameter, param: Parameter) {
    let as_read = slot.as_read;
    *slot = param;
    slot.as_read = as_read;
}

/// Parameters, wherever they stand.
macro_rules! with_params {
    ($($type:ty: $($params:ident).+;)*) => {$(
        impl $type {
            /// Sets the value of a parameter, which is added if there is none: an object or a list becomes its structured
            /// value, anything else its text. All else of the parameter stays.
            #[must_use]
            pub fn with_param(mut self, id: &str, value: impl Into<Value>) -> Self {
                set_value(self.$($params).+.param_or_new(id), value.into());
                self
            }

            /// Marks the value of a parameter as wrong; the parameter is added if there is none.
            #[must_use]
            pub fn with_param_error(mut self, id: &str, error: impl Into<String>) -> Self {
                self.$($params).+.set_error(id, error);
                self
            }

            /// Sets parameters whole; those of another id stay.
            #[must_use]
            pub fn with_params(mut self, params: impl IntoIterator<Item = Parameter>) -> Self {
                for param in params {
                    replace(self.$($params).+.param_or_new(&param.id), param);
                }
                self
            }

            /// Takes a parameter away.
            #[must_use]
            pub fn without_param(mut self, id: &str) -> Self {
                self.$($params).+.retain(|param| param.id != id);
                self
            }
        }
    )*};
}

with_params! {
    AssetRequest: asset.params;
    Asset: params;
    TierConfigRequest: params;
    TierConfiguration: params;
    Item: params;
}

/// What requests, assets and configurations have in common.
macro_rules! with_parties {
    ($($type:ty: $($part:ident).*;)*) => {$(
        impl $type {
            fn connection_mut(&mut self) -> &mut Connection {
                self$(.$part)*.connection.get_or_insert_default()
            }

            /// Sets the value of a configuration parameter, which is added if there is none.
            #[must_use]
            pub fn with_configuration_param(mut self, id: &str, value: impl Into<Value>) -> Self {
                let configuration: &mut Configuration = self$(.$part)*.configuration.get_or_insert_default();
                set_value(configuration.params.param_or_new(id), value.into());
                self
            }

            /// Sets configuration parameters whole; those of another id stay.
            #[must_use]
            pub fn with_configuration_params(mut self, params: impl IntoIterator<Item = Parameter>) -> Self {
                let configuration: &mut Configuration = self$(.$part)*.configuration.get_or_insert_default();
                for param in params {
                    replace(configuration.params.param_or_new(&param.id), param);
                }
                self
            }

            /// Sets the connection's id and what it is for.
            #[must_use]
            pub fn with_connection(mut self, id: impl Into<String>, of: impl Into<ConnectionType>) -> Self {
                let connection = self.connection_mut();
                connection.id = id.into();
                connection.r#type = of.into();
                self
            }

            /// Sets the distributor.
            #[must_use]
            pub fn with_connection_provider(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
                refer(&mut self.connection_mut().provider, id, Some(name.into()));
                self
            }

            /// Sets the vendor.
            #[must_use]
            pub fn with_connection_vendor(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
                refer(&mut self.connection_mut().vendor, id, Some(name.into()));
                self
            }

            /// Sets the hub.
            #[must_use]
            pub fn with_connection_hub(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
                let hub: &mut Hub = self.connection_mut().hub.get_or_insert_default();
                hub.id = id.into();
                hub.name = Some(name.into());
                self
            }

            /// Sets the product's id.
            #[must_use]
            pub fn with_product(mut self, id: impl Into<String>) -> Self {
                refer(&mut self$(.$part)*.product, id, None);
                self
            }

            /// Sets the marketplace.
            #[must_use]
            pub fn with_marketplace(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
                refer(&mut self$(.$part)*.marketplace, id, Some(name.into()));
                self
            }

            /// Sets the contract.
            #[must_use]
            pub fn with_contract(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
                refer(&mut self$(.$part)*.contract, id, Some(name.into()));
                self
            }
        }
    )*};
}

with_parties! {
    AssetRequest: asset;
    Asset: ;
    TierConfigRequest: configuration;
    TierConfiguration: ;
}

/// The accounts of a request or an asset.
macro_rules! with_tiers {
    ($($type:ty: $($tiers:ident).+;)*) => {$(
        impl $type {
            /// Sets an account: customer, tier1 or tier2. An account of another name is kept aside, in `extra`.
            #[must_use]
            pub fn with_tier(mut self, tier: impl Into<Tier>, account: TierAccount) -> Self {
                let tiers: &mut Tiers = self.$($tiers).+.get_or_insert_default();
                match tier.into() {
                    Tier::Customer => tiers.customer = Some(Box::new(account)),
                    Tier::Tier1 => tiers.tier1 = Some(Box::new(account)),
                    Tier::Tier2 => tiers.tier2 = Some(Box::new(account)),
                    Tier::Other(name) => {
                        tiers.extra.insert(String::from(name), Value::from(account));
                    }
                }
                self
            }
        }
    )*};
}

with_tiers! {
    AssetRequest: asset.tiers;
    Asset: tiers;
    TierConfigRequest: tiers;
    TierConfiguration: tiers;
}

/// Members of one type that are set as they are.
macro_rules! with_fields {
    ($($type:ty { $($(#[$meta:meta])* $name:ident = $($field:ident).+: $of:ty => |$value:ident| $set:expr;)* })*) => {$(
        impl $type {$(
            $(#[$meta])*
            #[must_use]
            pub fn $name(mut self, $value: impl Into<$of>) -> Self {
                let $value: $of = $value.into();
                self.$($field).+ = $set;
                self
            }
        )*}
    )*};
}

with_fields! {
    AssetRequest {
        /// Sets its id.
        with_id = id: String => |id| id;
        /// Sets what it asks for.
        with_type = r#type: RequestType => |of| of;
        /// Sets where it stands.
        with_status = status: RequestStatus => |status| status;
        /// Sets the note for people.
        with_note = note: String => |note| Some(note);
        /// Sets why it failed.
        with_reason = reason: String => |reason| Some(reason);
        /// Sets when it was made, ISO 8601.
        with_created = created: String => |at| Some(at);
        /// Sets when it last changed, ISO 8601.
        with_updated = updated: String => |at| Some(at);
        /// Sets when it is to be processed, ISO 8601.
        with_planned_date = planned_date: String => |at| Some(at);
        /// Sets from when on it holds, ISO 8601.
        with_effective_date = effective_date: String => |at| Some(at);
        /// Sets the template that shows it.
        with_template = template: String => |id| Some(Box::new(Template { id, ..Template::default() }));
        /// Sets the asset, whole.
        with_asset = asset: Asset => |asset| asset;
        /// Sets the asset's id.
        with_asset_id = asset.id: String => |id| id;
        /// Sets where the asset stands.
        with_asset_status = asset.status: AssetStatus => |status| status;
    }
    Asset {
        /// Sets its id.
        with_id = id: String => |id| id;
        /// Sets where it stands.
        with_status = status: AssetStatus => |status| status;
        /// Sets its id in the distributor's system.
        with_external_id = external_id: String => |id| Some(id);
        /// Sets its unique id in the distributor's system.
        with_external_uid = external_uid: String => |id| Some(id);
    }
    Item {
        /// Sets its id in Connect.
        with_global_id = global_id: String => |id| Some(id);
        /// Sets the vendor's part number.
        with_mpn = mpn: String => |mpn| Some(mpn);
        /// Sets what people see.
        with_display_name = display_name: String => |name| Some(name);
        /// Sets how many.
        with_quantity = quantity: Quantity => |quantity| Some(quantity);
        /// Sets how many before.
        with_old_quantity = old_quantity: Quantity => |quantity| Some(quantity);
        /// Sets the name of its unit, which Connect calls its type.
        with_unit = r#type: String => |unit| Some(unit);
        /// Sets how often it is paid.
        with_period = period: Period => |period| period;
        /// Sets how it is paid.
        with_item_type = item_type: ItemType => |of| of;
    }
    Parameter {
        /// Sets what kind of value it has.
        with_type = r#type: ParameterType => |of| of;
        /// Sets what people see.
        with_title = title: String => |title| Some(title);
        /// Sets what it is for.
        with_description = description: String => |text| Some(text);
        /// Sets what is wrong with its value.
        with_value_error = value_error: String => |error| Some(error);
    }
    TierAccount {
        /// Sets its id.
        with_id = id: String => |id| id;
        /// Sets the company's name.
        with_name = name: String => |name| Some(name);
        /// Sets what it does.
        with_type = r#type: TierAccountType => |of| of;
        /// Sets its id in the distributor's system.
        with_external_id = external_id: String => |id| Some(id);
        /// Sets its unique id in the distributor's system.
        with_external_uid = external_uid: String => |id| Some(id);
        /// Sets where it is and whom to ask.
        with_contact_info = contact_info: ContactInfo => |info| Some(Box::new(info));
    }
    TierConfigRequest {
        /// Sets its id.
        with_id = id: String => |id| id;
        /// Sets what it asks for.
        with_type = r#type: TierConfigRequestType => |of| of;
        /// Sets where it stands.
        with_status = status: RequestStatus => |status| status;
        /// Sets the note for people.
        with_notes = notes: String => |notes| Some(notes);
        /// Sets why it failed.
        with_reason = reason: String => |reason| Some(reason);
        /// Sets the template that shows it.
        with_template = template: String => |id| Some(Box::new(Template { id, ..Template::default() }));
        /// Sets the configuration, whole.
        with_tier_configuration = configuration: TierConfiguration => |configuration| configuration;
        /// Sets the account whose configuration it is.
        with_account = configuration.account: TierAccount => |account| Some(Box::new(account));
        /// Sets the level: 1 for resellers, 2 for their distributors.
        with_tier_level = configuration.tier_level: i64 => |level| Some(level);
    }
    TierConfiguration {
        /// Sets its id.
        with_id = id: String => |id| id;
        /// Sets where it stands.
        with_status = status: TierConfigurationStatus => |status| status;
        /// Sets the account.
        with_account = account: TierAccount => |account| Some(Box::new(account));
        /// Sets the level: 1 for resellers, 2 for their distributors.
        with_tier_level = tier_level: i64 => |level| Some(level);
    }
}

/// What happened to an object.
macro_rules! with_events {
    ($($type:ty),*) => {$(
        impl $type {
            /// Sets when an event happened last, ISO 8601: `created`, `updated`, `approved`, …
            #[must_use]
            pub fn with_event(mut self, event: &str, at: impl Into<String>) -> Self {
                let log: &mut EventLog = self.events.get_or_insert_default();
                log.set(event, LogEntry { at: Some(at.into()), by: None, extra: Extra::default() });
                self
            }
        }
    )*};
}

with_events!(AssetRequest, Asset, TierConfigRequest, TierConfiguration, TierAccount);

/// Who takes care of a request.
macro_rules! with_assignee {
    ($($type:ty),*) => {$(
        impl $type {
            /// Sets who takes care of it.
            #[must_use]
            pub fn with_assignee(
                mut self,
                id: impl Into<String>,
                name: impl Into<String>,
                email: impl Into<String>,
            ) -> Self {
                let assignee: &mut User = self.assignee.get_or_insert_default();
                assignee.id = id.into();
                assignee.name = Some(name.into());
                assignee.email = Some(email.into());
                self
            }
        }
    )*};
}

with_assignee!(AssetRequest, TierConfigRequest);

impl Item {
    /// An item of this id and quantity.
    ///
    /// ```
    /// use connect_model::{Item, ItemChange};
    ///
    /// let item = Item::new("seats", 10).with_old_quantity(5).with_mpn("MPN-A");
    /// assert_eq!(item.change()?, ItemChange::Grown);
    /// # Ok::<(), connect_model::ItemError>(())
    /// ```
    #[must_use]
    pub fn new(id: impl Into<String>, quantity: impl Into<Quantity>) -> Self {
        Self { id: id.into(), quantity: Some(quantity.into()), ..Self::default() }
    }
}

impl Asset {
    /// Sets an item whole; it is added if there is none of its id. Parameters stay where the new one has none.
    #[must_use]
    pub fn with_item(mut self, mut item: Item) -> Self {
        match self.items.iter_mut().find(|known| known.id == item.id) {
            Some(known) => {
                if item.params.is_empty() {
                    item.params = std::mem::take(&mut known.params);
                }
                *known = item;
            }
            None => self.items.push(item),
        }
        self
    }

    /// Sets items whole, as [`with_item`](Self::with_item) does; those of another id stay.
    #[must_use]
    pub fn with_items(self, items: impl IntoIterator<Item = Item>) -> Self {
        items.into_iter().fold(self, Self::with_item)
    }

    /// Sets the value of an item's configuration parameter; item and parameter are added if there are none.
    #[must_use]
    pub fn with_item_param(mut self, item: &str, param: &str, value: impl Into<Value>) -> Self {
        let at = self.items.iter().position(|known| known.is(item)).unwrap_or_else(|| {
            self.items.push(Item { id: item.to_owned(), ..Item::default() });
            self.items.len() - 1
        });
        set_value(self.items[at].params.param_or_new(param), value.into());
        self
    }
}

impl AssetRequest {
    /// Sets an item of the asset whole, as [`Asset::with_item`] does.
    #[must_use]
    pub fn with_item(mut self, item: Item) -> Self {
        self.asset = self.asset.with_item(item);
        self
    }

    /// Sets items of the asset whole, as [`Asset::with_item`] does; those of another id stay.
    #[must_use]
    pub fn with_items(mut self, items: impl IntoIterator<Item = Item>) -> Self {
        self.asset = self.asset.with_items(items);
        self
    }

    /// Sets the value of an item's configuration parameter; item and parameter are added if there are none.
    #[must_use]
    pub fn with_item_param(mut self, item: &str, param: &str, value: impl Into<Value>) -> Self {
        self.asset = self.asset.with_item_param(item, param, value);
        self
    }
}
