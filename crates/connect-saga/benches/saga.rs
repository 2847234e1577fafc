//! `cargo bench -p connect-saga`

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::sync::Arc;

use connect_container::{Container, Inject};
use connect_model::{AssetRequest, BackgroundResponse};
use connect_saga::{BackgroundTransaction, Middleware, Middlewares, Next, Result, Saga, Transactions};

fn main() {
    divan::main();
}

macro_rules! transaction {
    ($name:ident, $applies:literal) => {
        #[derive(Inject)]
        struct $name {
            _client: Arc<str>,
            _cache: Arc<u8>,
            _number: u32,
            #[inject(name = "api_url")]
            _url: String,
        }

        impl BackgroundTransaction for $name {
            fn name(&self) -> &str {
                stringify!($name)
            }

            fn should_execute(&self, _: &AssetRequest) -> bool {
                $applies
            }

            async fn execute(&self, _: &mut AssetRequest) -> Result<BackgroundResponse> {
                Ok(BackgroundResponse::done())
            }
        }
    };
}

transaction!(CreateCustomer, false);
transaction!(CreateSubscription, false);
transaction!(ApproveRequest, true);

#[derive(Inject)]
struct Passes;

impl Middleware for Passes {
    async fn handle(&self, request: &mut AssetRequest, next: Next<'_>) -> Result<BackgroundResponse> {
        next.run(request).await
    }
}

struct PurchaseSaga;

impl Saga for PurchaseSaga {
    fn middlewares(&self, _: &AssetRequest) -> Middlewares {
        Middlewares::new().then::<Passes>()
    }

    fn transactions(&self, _: &AssetRequest) -> Transactions {
        Transactions::new().then::<CreateCustomer>().then::<CreateSubscription>().then::<ApproveRequest>()
    }
}

/// A whole resolution: a scope over a root of ten services, one middleware, three transactions of which the third
/// applies.
#[divan::bench]
fn resolve(bencher: divan::Bencher<'_, '_>) {
    let root = Container::builder()
        .bind(|bind| {
            bind.instance::<Arc<u8>>(Arc::new(1))
                .instance(2_u16)
                .instance(3_u32)
                .instance(4_u64)
                .instance(5_i8);
            bind.named("api_url", "https://api.vendor.example".to_owned());
            bind.named("b", 2_i16).named("c", 3_i32).named("d", 4_i64).named("e", 5_i128);
        })
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let client: Arc<str> = "a client".into();
    bencher.bench_local(|| {
        let scope = root.scope().instance(Arc::clone(&client)).build().unwrap();
        runtime.block_on(PurchaseSaga.resolve(AssetRequest::default(), scope)).unwrap()
    });
}
