use std::fmt;

use reqwest::Method;
use serde::Serialize;

use crate::{
    Call, Client, Query,
    call::{Part, path_text},
};

/// The id of a resource.
///
/// ```
/// use connect_client::Id;
///
/// let text: Id = "PR-0000-0000-0000-001".into();
/// let number: Id = 42_u64.into();
/// # let _ = (text, number);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(String);

impl From<&str> for Id {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl From<String> for Id {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl From<&String> for Id {
    fn from(id: &String) -> Self {
        Self(id.clone())
    }
}

impl From<u64> for Id {
    fn from(id: u64) -> Self {
        Self(id.to_string())
    }
}

macro_rules! place {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name {
            client: Client,
            path: Vec<Part>,
        }

        impl $name {
            pub(crate) fn new(client: Client, path: Vec<Part>) -> Self {
                Self { client, path }
            }

            /// Its path below the endpoint, encoded as it is sent.
            #[must_use]
            pub fn path(&self) -> String {
                path_text(&self.path)
            }

            #[allow(dead_code, reason = "actions lead nowhere")]
            fn below(&self, segment: String) -> (Client, Vec<Part>) {
                let mut path = self.path.clone();
                path.push(Part::Segment(segment));
                (self.client.clone(), path)
            }

            #[allow(dead_code, reason = "namespaces are not called")]
            fn call(&self, method: Method) -> Call {
                Call::new(self.client.clone(), method, self.path.clone())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.path()).finish()
            }
        }
    };
}

place! {
    /// A namespace: collections, and further namespaces.
    Namespace
}

place! {
    /// A collection of resources.
    ///
    /// Names and ids are checked when a call is sent, so that a chain needs no `?`.
    Collection
}

place! {
    /// One object of a collection.
    Resource
}

place! {
    /// Something that is done to a resource or a collection.
    Action
}

impl Namespace {
    /// A namespace below.
    #[must_use]
    pub fn ns(&self, name: impl Into<String>) -> Self {
        let (client, path) = self.below(name.into());
        Self::new(client, path)
    }

    /// A collection below.
    pub fn collection(&self, name: impl Into<String>) -> Collection {
        let (client, path) = self.below(name.into());
        Collection::new(client, path)
    }
}

impl Collection {
    /// One of its objects.
    pub fn resource(&self, id: impl Into<Id>) -> Resource {
        let (client, path) = self.below(id.into().0);
        Resource::new(client, path)
    }

    /// Something that is done to the collection.
    pub fn action(&self, name: impl Into<String>) -> Action {
        let (client, path) = self.below(name.into());
        Action::new(client, path)
    }

    /// Asks for some of its objects.
    pub fn query(&self) -> Query {
        Query::new(self.call(Method::GET))
    }

    /// Creates an object: POST.
    pub fn create(&self, payload: &impl Serialize) -> Call {
        self.call(Method::POST).payload(payload)
    }
}

impl Resource {
    /// A collection below.
    pub fn collection(&self, name: impl Into<String>) -> Collection {
        let (client, path) = self.below(name.into());
        Collection::new(client, path)
    }

    /// Something that is done to it.
    pub fn action(&self, name: impl Into<String>) -> Action {
        let (client, path) = self.below(name.into());
        Action::new(client, path)
    }

    /// Reads it.
    pub fn get(&self) -> Call {
        self.call(Method::GET)
    }

    /// Changes it: PUT.
    pub fn update(&self, payload: &impl Serialize) -> Call {
        self.call(Method::PUT).payload(payload)
    }

    /// Deletes it.
    pub fn delete(&self) -> Call {
        self.call(Method::DELETE)
    }

    /// Whether it exists; only a 404 says that it does not.
    pub async fn exists(&self) -> Result<bool, crate::Error> {
        Ok(self.get().opt().await?.is_some())
    }
}

impl Action {
    /// GET.
    pub fn get(&self) -> Call {
        self.call(Method::GET)
    }

    /// POST, with a body.
    pub fn post(&self, payload: &impl Serialize) -> Call {
        self.call(Method::POST).payload(payload)
    }

    /// POST, without a body.
    pub fn post_empty(&self) -> Call {
        self.call(Method::POST)
    }

    /// PUT.
    pub fn put(&self, payload: &impl Serialize) -> Call {
        self.call(Method::PUT).payload(payload)
    }

    /// DELETE.
    pub fn delete(&self) -> Call {
        self.call(Method::DELETE)
    }

    /// Any other method, without a body.
    pub fn request(&self, method: Method) -> Call {
        self.call(method)
    }
}
