use connect_fulfillment::{Descriptor, prelude::*};

struct PurchaseSaga;

impl Saga for PurchaseSaga {
    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new()
    }
}

fn main() {
    let _ = Extension::new(Descriptor::default())
        .background(event::TIER_CONFIG_SETUP_REQUEST_PROCESSING, ["pending"], PurchaseSaga);
}
