//! What one reads in requests, assets and configurations, wherever it stands in them.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    Asset, AssetRequest, Connection, Hub, Item, ItemError, Parameter, ParameterError, Params, ParamsExt,
    Reference, Tier, TierAccount, TierConfigRequest, TierConfiguration, Tiers,
};

/// Reading and setting the parameters that a type holds, itself or in a part of it.
macro_rules! with_params {
    ($($type:ty, $whose:literal: $($params:ident).+;)*) => {$(
        impl $type {
            #[doc = concat!("The parameters ", $whose, ".")]
            #[must_use]
            pub fn params(&self) -> &Params {
                &self.$($params).+
            }

            #[doc = concat!("The parameters ", $whose, ", to change them.")]
            pub fn params_mut(&mut self) -> &mut Params {
                &mut self.$($params).+
            }

            #[doc = concat!("The parameter of this id, ", $whose, ".")]
            #[must_use]
            pub fn param(&self, id: &str) -> Option<&Parameter> {
                self.$($params).+.param(id)
            }

            /// The parameter of this id, to change it.
            pub fn param_mut(&mut self, id: &str) -> Option<&mut Parameter> {
                self.$($params).+.param_mut(id)
            }

            /// The parameter of this id, or an error that names it.
            pub fn try_param(&self, id: &str) -> Result<&Parameter, ParameterError> {
                self.param(id).ok_or_else(|| ParameterError::missing(id))
            }

            /// The value of the parameter of this id, if there is one that is not empty.
            #[must_use]
            pub fn value(&self, id: &str) -> Option<&str> {
                self.param(id).and_then(Parameter::value)
            }

            /// Sets the value of a parameter, here and not in Connect; it is added if there is none.
            pub fn set_param(&mut self, id: &str, value: impl Into<String>) {
                self.$($params).+.set(id, value);
            }

            /// Marks the value of a parameter as wrong, here and not in Connect; it is added if there is none.
            pub fn set_param_error(&mut self, id: &str, error: impl Into<String>) {
                self.$($params).+.set_error(id, error);
            }

            /// Takes the error of a parameter away, here and not in Connect.
            pub fn clear_param_error(&mut self, id: &str) {
                if let Some(param) = self.param_mut(id) {
                    param.clear_error();
                }
            }
        }
    )*};
}

with_params! {
    AssetRequest, "of the request's asset": asset.params;
    Asset, "of the asset": params;
    TierConfigRequest, "with the values that are asked for": params;
    TierConfiguration, "with the values in force": params;
    Item, "of the item's configuration": params;
}

/// Reading what requests, assets and configurations have in common.
macro_rules! with_parties {
    ($($type:ty: $($part:ident).*;)*) => {$(
        impl $type {
            /// The product's configuration parameter of this id.
            #[must_use]
            pub fn configuration_param(&self, id: &str) -> Option<&Parameter> {
                self$(.$part)*.configuration.as_ref()?.params.param(id)
            }

            /// The product's configuration parameter of this id, or an error that names it.
            pub fn try_configuration_param(&self, id: &str) -> Result<&Parameter, ParameterError> {
                let missing = || ParameterError::missing(id).of("the configuration");
                self.configuration_param(id).ok_or_else(missing)
            }

            /// The connection it goes through.
            #[must_use]
            pub fn connection(&self) -> Option<&Connection> {
                self$(.$part)*.connection.as_deref()
            }

            /// The distributor.
            #[must_use]
            pub fn provider(&self) -> Option<&Reference> {
                self.connection()?.provider.as_deref()
            }

            /// The vendor.
            #[must_use]
            pub fn vendor(&self) -> Option<&Reference> {
                self.connection()?.vendor.as_deref()
            }

            /// The hub.
            #[must_use]
            pub fn hub(&self) -> Option<&Hub> {
                self.connection()?.hub.as_deref()
            }

            /// The product.
            #[must_use]
            pub fn product(&self) -> Option<&Reference> {
                self$(.$part)*.product.as_deref()
            }

            /// Whose account it is in this place: customer, tier1 or tier2. An empty account is none.
            #[must_use]
            pub fn tier(&self, tier: impl Into<Tier>) -> Option<&TierAccount> {
                self.tiers()?.get(tier)
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

impl Tiers {
    /// Whose account it is in this place; an empty account is none.
    #[must_use]
    pub fn get(&self, tier: impl Into<Tier>) -> Option<&TierAccount> {
        let account = match tier.into() {
            Tier::Customer => &self.customer,
            Tier::Tier1 => &self.tier1,
            Tier::Tier2 => &self.tier2,
            Tier::Other(_) => &None,
        };
        account.as_deref().filter(|account| !crate::field::Field::is_absent(*account))
    }
}

impl AssetRequest {
    /// The item of this id, global id or part number.
    #[must_use]
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.asset.item(id)
    }

    /// The item of this id, global id or part number, or an error that names it.
    pub fn try_item(&self, id: &str) -> Result<&Item, ItemError> {
        self.asset.try_item(id)
    }

    /// The customer.
    #[must_use]
    pub fn customer(&self) -> Option<&TierAccount> {
        self.asset.customer()
    }

    /// Who bought, and through whom.
    #[must_use]
    pub fn tiers(&self) -> Option<&Tiers> {
        self.asset.tiers()
    }

    /// Where it was bought: newer answers say it of the request, all of the asset.
    #[must_use]
    pub fn marketplace(&self) -> Option<&Reference> {
        self.marketplace.as_deref().or(self.asset.marketplace.as_deref())
    }

    /// Under which contract: newer answers say it of the request, all of the asset.
    #[must_use]
    pub fn contract(&self) -> Option<&Reference> {
        self.contract.as_deref().or(self.asset.contract.as_deref())
    }
}

impl Asset {
    /// The item of this id, global id or part number.
    #[must_use]
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.is(id))
    }

    /// The item of this id, global id or part number, or an error that names it.
    pub fn try_item(&self, id: &str) -> Result<&Item, ItemError> {
        self.item(id).ok_or_else(|| ItemError::missing(id))
    }

    /// The customer.
    #[must_use]
    pub fn customer(&self) -> Option<&TierAccount> {
        self.tier(Tier::Customer)
    }

    /// Who bought, and through whom.
    #[must_use]
    pub fn tiers(&self) -> Option<&Tiers> {
        self.tiers.as_deref()
    }

    /// Where it was bought.
    #[must_use]
    pub fn marketplace(&self) -> Option<&Reference> {
        self.marketplace.as_deref()
    }

    /// Under which contract.
    #[must_use]
    pub fn contract(&self) -> Option<&Reference> {
        self.contract.as_deref()
    }
}

impl TierConfigRequest {
    /// The account whose configuration it is.
    #[must_use]
    pub fn account(&self) -> Option<&TierAccount> {
        self.configuration.account()
    }

    /// The tiers of the request, or of its configuration.
    #[must_use]
    pub fn tiers(&self) -> Option<&Tiers> {
        self.tiers.as_deref().or(self.configuration.tiers.as_deref())
    }

    /// Where it is used.
    #[must_use]
    pub fn marketplace(&self) -> Option<&Reference> {
        self.configuration.marketplace()
    }

    /// Under which contract.
    #[must_use]
    pub fn contract(&self) -> Option<&Reference> {
        self.configuration.contract()
    }
}

impl TierConfiguration {
    /// The account whose configuration it is.
    #[must_use]
    pub fn account(&self) -> Option<&TierAccount> {
        self.account.as_deref()
    }

    /// The tiers above.
    #[must_use]
    pub fn tiers(&self) -> Option<&Tiers> {
        self.tiers.as_deref()
    }

    /// Where it is used.
    #[must_use]
    pub fn marketplace(&self) -> Option<&Reference> {
        self.marketplace.as_deref()
    }

    /// Under which contract.
    #[must_use]
    pub fn contract(&self) -> Option<&Reference> {
        self.contract.as_deref()
    }
}

impl TierAccount {
    /// Its id in the distributor's system; old answers write it as a number, which the member itself does not hold.
    #[must_use]
    pub fn external_id(&self) -> Option<Cow<'_, str>> {
        match (&self.external_id, &self.extra["external_id"]) {
            (Some(id), _) => Some(Cow::Borrowed(id.as_str())),
            (None, Value::Number(id)) => Some(Cow::Owned(id.to_string())),
            (None, _) => None,
        }
    }
}
