use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Attribute, Data, DeriveInput, Error, Field, Fields, GenericArgument, LitStr, Path, PathArguments, Result,
    Type, WherePredicate, parse_quote, spanned::Spanned,
};

/// How a field is filled.
enum Source {
    Service { name: Option<LitStr> },
    Default,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "`Inject` fills the fields of a struct; this is none"));
    };
    if let Some(lifetime) = input.generics.lifetimes().next() {
        let message = "an injected struct owns its services: it can't have a lifetime";
        return Err(Error::new(lifetime.span(), message));
    }
    let container = container_path(&input.attrs)?;
    let mut generics = input.generics.clone();
    let type_params: Vec<_> = input.generics.type_params().map(|param| param.ident.clone()).collect();
    let mut bounds: Vec<WherePredicate> = Vec::new();
    let (mut values, mut dependencies) = (Vec::new(), Vec::new());
    for field in &data.fields {
        let source = source(field)?;
        let ty = &field.ty;
        // Errors point at the type; names mean what they mean here, wherever a macro took the type from.
        let span = Span::call_site().located_at(ty.span());
        match source {
            Source::Default => {
                if mentions(ty, &type_params) {
                    bounds.push(parse_quote!(#ty: ::core::default::Default + ::core::marker::Send + ::core::marker::Sync + 'static));
                }
                values.push(quote_spanned!(span=> ::core::default::Default::default()));
            }
            Source::Service { name } => {
                let optional = option_of(ty);
                let service = optional.unwrap_or(ty);
                if mentions(service, &type_params) {
                    bounds.push(parse_quote!(#service: #container::Service));
                }
                let none = quote!(::core::option::Option::None);
                let named = name.as_ref().map_or(none, |name| quote!(::core::option::Option::Some(#name)));
                values.push(match (optional.is_some(), &name) {
                    (false, None) => quote_spanned!(span=> #container::Resolver::get::<#service>(resolver)?),
                    (false, Some(name)) => {
                        quote_spanned!(span=> #container::Resolver::get_named::<#service>(resolver, #name)?)
                    }
                    (true, None) => quote_spanned!(span=> #container::Resolver::find::<#service>(resolver)?),
                    (true, Some(name)) => {
                        quote_spanned!(span=> #container::Resolver::find_named::<#service>(resolver, #name)?)
                    }
                });
                let kind = if optional.is_some() { quote!(optional) } else { quote!(of) };
                // No span of the type here: one mistake shall be one error.
                dependencies.push(quote!(#container::Dependency::#kind::<#service>(#named)));
            }
        }
    }
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    for param in &type_params {
        generics
            .make_where_clause()
            .predicates
            .push(parse_quote!(#param: ::core::marker::Send + ::core::marker::Sync + 'static));
    }
    let body = match &data.fields {
        Fields::Named(fields) => {
            let names = fields.named.iter().map(|field| &field.ident);
            quote!(Self { #(#names: #values),* })
        }
        Fields::Unnamed(_) => quote!(Self(#(#values),*)),
        Fields::Unit => quote!(Self),
    };
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #container::Inject for #name #type_generics #where_clause {
            fn inject(
                resolver: &#container::Resolver<'_>,
            ) -> ::core::result::Result<Self, #container::Error> {
                let _ = resolver;
                ::core::result::Result::Ok(#body)
            }

            fn dependencies() -> ::std::vec::Vec<#container::Dependency> {
                ::std::vec![#(#dependencies),*]
            }
        }
    })
}

/// Where the container crate is: said on the struct, or found in the manifest of the crate that is being built.
fn container_path(attrs: &[Attribute]) -> Result<TokenStream> {
    let mut path: Option<Path> = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("inject")) {
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                path = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                return Ok(());
            }
            Err(meta.error("on a struct there is `#[inject(crate = \"path\")]` only"))
        })?;
    }
    if let Some(path) = path {
        return Ok(quote!(#path));
    }
    let named = |found: FoundCrate, own: &str| {
        let name = match found {
            // Also in the crate's own examples and tests, which see it by its name.
            FoundCrate::Itself => own.to_owned(),
            FoundCrate::Name(name) => name,
        };
        syn::Ident::new(&name, Span::call_site())
    };
    if let Ok(found) = crate_name("connect-container") {
        let name = named(found, "connect_container");
        return Ok(quote!(::#name));
    }
    if let Ok(found) = crate_name("connect-fulfillment") {
        let name = named(found, "connect_fulfillment");
        return Ok(quote!(::#name::container));
    }
    Ok(quote!(::connect_container))
}

fn source(field: &Field) -> Result<Source> {
    let (mut name, mut default) = (None, None);
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("inject")) {
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                if name.is_some() {
                    return Err(meta.error("a field has one `name` to be found by"));
                }
                name = Some(meta.value()?.parse::<LitStr>()?);
            } else if meta.path.is_ident("default") {
                default = Some(meta.path.span());
            } else {
                return Err(meta.error("a field is injected by `name = \"…\"`, or filled with its `default`"));
            }
            Ok(())
        })?;
    }
    match (name, default) {
        (Some(_), Some(span)) => {
            Err(Error::new(span, "a field has either a `name` to be found by or a `default`, not both"))
        }
        (None, Some(_)) => Ok(Source::Default),
        (name, None) => Ok(Source::Service { name }),
    }
}

/// The `T` of an `Option<T>`.
fn option_of(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Path(path) => path,
        // A type that came through `macro_rules` as `$ty:ty` stands in an unseen group.
        Type::Group(group) => return option_of(&group.elem),
        Type::Paren(paren) => return option_of(&paren.elem),
        _ => return None,
    };
    let last = path.path.segments.last()?;
    if last.ident != "Option" {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// Whether a type mentions one of the struct's type parameters.
fn mentions(ty: &Type, params: &[syn::Ident]) -> bool {
    fn any(tokens: TokenStream, params: &[syn::Ident]) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => params.contains(&ident),
            proc_macro2::TokenTree::Group(group) => any(group.stream(), params),
            _ => false,
        })
    }
    any(quote!(#ty), params)
}
