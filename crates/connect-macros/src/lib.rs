#![doc = include_str!("../README.md")]

mod inject;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Fills the fields of a struct with services: see `connect_container::Inject`.
///
/// | attribute of a field | it is filled with |
/// |---|---|
/// | none | the service of its type |
/// | none, and its type is `Option<T>` | the service of type `T`, or `None` |
/// | `#[inject(name = "api_url")]` | the service of that name and its type |
/// | `#[inject(default)]` | its `Default`, no service |
///
/// `#[inject(crate = "path")]` on the struct names the container crate where it is re-exported elsewhere.
#[proc_macro_derive(Inject, attributes(inject))]
pub fn derive_inject(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    inject::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
