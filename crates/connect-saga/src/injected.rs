use std::{fmt, marker::PhantomData};

/// A transaction that the container builds for each task, as a handler: see [`inject`].
pub struct Injected<T>(PhantomData<fn() -> T>);

/// A handler made of a transaction that the container builds for each task.
///
/// ```
/// # use connect_container::Inject;
/// # use connect_model::{AssetRequest, ValidationResponse};
/// # use connect_saga::{Result, ValidationTransaction};
/// #[derive(Inject)]
/// struct ValidateDomain;
///
/// impl ValidationTransaction for ValidateDomain {
///     fn name(&self) -> &str { "Validate domain" }
///
///     async fn execute(&self, request: &mut AssetRequest) -> Result<ValidationResponse> {
///         Ok(ValidationResponse::done(&*request))
///     }
/// }
///
/// let handler = connect_saga::inject::<ValidateDomain>();
/// // extension.interactive(event::ASSET_PURCHASE_REQUEST_VALIDATION, handler)
/// # let _ = handler;
/// ```
#[must_use]
pub fn inject<T>() -> Injected<T> {
    Injected(PhantomData)
}

impl<T> Clone for Injected<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Injected<T> {}

impl<T> fmt::Debug for Injected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Injected<{}>", std::any::type_name::<T>())
    }
}
