use std::{error::Error as StdError, fmt};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a handler, a transaction or a middleware could not answer.
///
/// It takes any [`std::error::Error`], an `anyhow::Error`, a `String` or a `&'static str` through `?`, keeps it whole,
/// and gives it back by [`downcast_ref`](Self::downcast_ref). A task whose handler returns it is answered with `retry`
/// (`fail` for interactive events), so Connect sends it again. An end that is final is no error but a value:
/// [`BackgroundResponse::fail`](crate::BackgroundResponse::fail).
///
/// ```
/// use connect_model::HandlerError;
///
/// fn quantity(text: &str) -> Result<u32, HandlerError> {
///     if text == "unlimited" {
///         return Err("an unlimited quantity can't be ordered".into());
///     }
///     Ok(text.parse()?)
/// }
///
/// let error = quantity("ten").unwrap_err();
/// assert_eq!(error.to_string(), "invalid digit found in string");
/// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
/// ```
///
/// Like `anyhow::Error` it does not implement [`std::error::Error`] itself: that is what lets `?` take everything.
pub struct HandlerError(BoxError);

impl HandlerError {
    /// An error of the user's own, without going through `?`.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }

    /// The error as the type it was made from, if it is of that type.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }

    /// The error as the type it was made from, or this error again if it is of another type.
    pub fn downcast<E: StdError + 'static>(self) -> Result<E, Self> {
        self.0.downcast().map(|error| *error).map_err(Self)
    }

    /// The error and what caused it, outermost first.
    pub fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let first: &(dyn StdError + 'static) = &*self.0;
        std::iter::successors(Some(first), |&error| error.source())
    }

    /// The error as a trait object.
    #[must_use]
    pub fn as_std(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }

    /// The error as a box, to hand it to code that takes a standard error.
    #[must_use]
    pub fn into_std(self) -> Box<dyn StdError + Send + Sync> {
        self.0
    }

    /// The whole chain in one text, the reason first, each cause on a line of its own.
    ///
    /// A cause whose text is already part of the one before is left out.
    #[must_use]
    pub fn report(&self) -> String {
        let mut report = String::new();
        let mut last = String::new();
        for error in self.chain() {
            let text = error.to_string();
            if report.is_empty() {
                report.push_str(&text);
            } else if !last.contains(&text) {
                report.push_str("\ncaused by: ");
                report.push_str(&text);
            }
            last = text;
        }
        report
    }
}

impl<E> From<E> for HandlerError
where
    E: Into<BoxError> + 'static,
{
    fn from(error: E) -> Self {
        // anyhow hides the type inside its own box unless it is asked to unwrap it.
        let mut slot = Some(error);
        let any: &mut dyn std::any::Any = &mut slot;
        if let Some(error) = any.downcast_mut::<Option<anyhow::Error>>().and_then(Option::take) {
            return Self(error.reallocate_into_boxed_dyn_error_without_backtrace());
        }
        slot.map_or_else(|| Self("an error that was taken away".into()), |error| Self(error.into()))
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report())
    }
}

/// User code panicked; the text is what it panicked with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {message}")]
pub struct Panicked {
    message: String,
}

impl Panicked {
    /// From what [`catch_unwind`](std::panic::catch_unwind) gives.
    #[must_use]
    pub fn new(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self { message: text.unwrap_or("with something that is no text").to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the vendor is down")]
    struct VendorDown(#[source] std::io::Error);

    fn vendor_down() -> VendorDown {
        VendorDown(std::io::Error::other("connection refused"))
    }

    #[test]
    fn takes_what_question_mark_may_bring() {
        fn std_error() -> Result<(), HandlerError> {
            Err(vendor_down())?;
            Ok(())
        }
        fn anyhow_error() -> Result<(), HandlerError> {
            Err(anyhow::Error::new(vendor_down()))?;
            Ok(())
        }
        fn text() -> Result<(), HandlerError> {
            Err(format!("no {}", "stock"))?;
            Ok(())
        }
        assert!(std_error().unwrap_err().downcast_ref::<VendorDown>().is_some());
        assert!(anyhow_error().unwrap_err().downcast_ref::<VendorDown>().is_some());
        assert_eq!(text().unwrap_err().to_string(), "no stock");
        assert!(text().unwrap_err().downcast::<VendorDown>().is_err());
    }

    #[test]
    fn reports_the_reason_first_then_its_causes() {
        let error = HandlerError::from(vendor_down());
        assert_eq!(error.report(), "the vendor is down\ncaused by: connection refused");
        assert_eq!(format!("{error:?}"), error.report());
    }
}
