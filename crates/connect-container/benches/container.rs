//! `cargo bench -p connect-container`

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::sync::Arc;

use connect_container::{Config, Container, Inject, Scope};

fn main() {
    divan::main();
}

/// A root of ten services.
fn root() -> Container {
    Container::builder()
        .config([("API_URL", "https://api.vendor.example")].into_iter().collect::<Config>())
        .bind(|bind| {
            bind.instance::<Arc<str>>("cache".into())
                .instance(1_u8)
                .instance(2_u16)
                .instance(3_u32)
                .instance(4_u64);
            bind.named("a", 1_i8).named("b", 2_i16).named("c", 3_i32).named("d", 4_i64);
            bind.shared(|r| Ok::<_, connect_container::Error>(Arc::new(r.get::<u8>()?)));
        })
        .build()
        .unwrap()
}

fn scope(root: &Container) -> Scope {
    root.scope().instance('c').named("task", 1_u128).build().unwrap()
}

#[derive(Inject)]
struct FourDependencies {
    _cache: Arc<str>,
    _client: char,
    _number: Arc<u8>,
    #[inject(name = "api_url")]
    _url: String,
}

#[divan::bench]
fn get_of_a_shared_service(bencher: divan::Bencher<'_, '_>) {
    let root = root();
    bencher.bench(|| root.get::<Arc<u8>>().unwrap());
}

#[divan::bench]
fn struct_with_four_dependencies(bencher: divan::Bencher<'_, '_>) {
    let root = root();
    let scope = scope(&root);
    bencher.bench(|| scope.inject::<FourDependencies>().unwrap());
}

#[divan::bench]
fn scope_over_a_root_of_ten_services(bencher: divan::Bencher<'_, '_>) {
    let root = root();
    bencher.bench(|| scope(&root));
}
