use connect_fulfillment::{Descriptor, prelude::*};

async fn handle(_: TierConfigRequest, _: Scope) -> Result<BackgroundResponse> {
    Ok(BackgroundResponse::done())
}

fn main() {
    let _ = Extension::new(Descriptor::default())
        .background(event::ASSET_PURCHASE_REQUEST_PROCESSING, ["pending"], handle);
}
