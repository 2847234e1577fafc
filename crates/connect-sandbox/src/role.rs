//! Who calls.

/// On whose behalf something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Who owns the products and the extension.
    Vendor,
    /// Who sells them.
    Distributor,
    /// The sandbox itself: its console, its library, and what happens by itself. It may do everything.
    Platform,
}

impl Role {
    /// Whether it may do what is this one's.
    pub(crate) fn is(self, wanted: Self) -> bool {
        self == wanted || self == Self::Platform
    }
}
