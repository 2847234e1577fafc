use connect_fulfillment::{Descriptor, prelude::*};

async fn handle(_: AssetRequest, _: Scope) -> Result<BackgroundResponse> {
    Ok(BackgroundResponse::done())
}

fn main() {
    let _ = Extension::new(Descriptor::default())
        .background(event::ASSET_PURCHASE_REQUEST_VALIDATION, ["draft"], handle);
}
