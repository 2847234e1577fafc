use std::fmt;

use connect_model::rql::Rql;
use http::Method;
use serde::Serialize;

use crate::{Call, Client, Error, Query, path, path::Part};

/// The id of a resource: text or a number, always one segment of the path, whatever stands in it.
///
/// ```
/// use connect_client::Id;
///
/// let text: Id = "PR-0000-0000-0000-001".into();
/// let number: Id = 42.into();
/// # let _ = (text, number);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(String);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! id_from {
    ($($type:ty),*) => {$(
        impl From<$type> for Id {
            fn from(id: $type) -> Self {
                Self(id.to_string())
            }
        }
    )*};
}

id_from!(&str, &String, i32, u32, i64, u64, usize);

impl From<String> for Id {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl From<&Self> for Id {
    fn from(id: &Self) -> Self {
        id.clone()
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
                path::encoded(&self.path)
            }

            #[allow(dead_code, reason = "actions lead nowhere")]
            fn below(&self, segment: String) -> (Client, Vec<Part>) {
                let mut path = Vec::with_capacity(self.path.len() + 1);
                path.extend_from_slice(&self.path);
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
    /// A namespace, such as `devops`: collections, and further namespaces.
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

    /// Reads one of its objects: `resource(id).get()`.
    pub fn get(&self, id: impl Into<Id>) -> Call {
        self.resource(id).get()
    }

    /// Something that is done to the collection.
    pub fn action(&self, name: impl Into<String>) -> Action {
        let (client, path) = self.below(name.into());
        Action::new(client, path)
    }

    /// Asks for its objects, all of them unless the query says otherwise.
    pub fn query(&self) -> Query {
        Query::new(self.call(Method::GET))
    }

    /// Asks for the objects that match: `query().filter(filter)`.
    pub fn filter(&self, filter: impl Into<Rql>) -> Query {
        self.query().filter(filter)
    }

    /// Creates an object: POST.
    ///
    /// For a body that is not JSON see [`create_empty`](Self::create_empty).
    pub fn create(&self, payload: &impl Serialize) -> Call {
        self.call(Method::POST).payload(payload)
    }

    /// Creates an object: POST without a body, until the call is given one ([`form`](Call::form),
    /// [`multipart`](Call::multipart), [`body`](Call::body)).
    pub fn create_empty(&self) -> Call {
        self.call(Method::POST)
    }

    /// Creates several objects at once: POST of a list.
    pub fn bulk_create<T: Serialize>(&self, payload: &[T]) -> Call {
        self.call(Method::POST).payload(&payload)
    }

    /// Changes several objects at once: PUT of a list.
    pub fn bulk_update<T: Serialize>(&self, payload: &[T]) -> Call {
        self.call(Method::PUT).payload(&payload)
    }

    /// Deletes several objects at once: DELETE with a list.
    pub fn bulk_delete<T: Serialize>(&self, payload: &[T]) -> Call {
        self.call(Method::DELETE).payload(&payload)
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

    /// Deletes it. A body, where Connect wants one, is given by [`payload`](Call::payload).
    pub fn delete(&self) -> Call {
        self.call(Method::DELETE)
    }

    /// Whether it exists; only a 404 says that it does not.
    pub async fn exists(&self) -> Result<bool, Error> {
        match self.get().empty().await {
            Ok(()) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Some members of it, by their path with dots (`owner.name`); what is not there is null. Positions of lists can't
    /// be named.
    pub async fn values(
        &self,
        fields: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<serde_json::Map<String, serde_json::Value>, Error> {
        let fields: Vec<String> = fields.into_iter().map(Into::into).collect();
        let object = self.get().await?;
        Ok(crate::query::pick(&object, &fields))
    }
}

impl Action {
    /// GET.
    pub fn get(&self) -> Call {
        self.call(Method::GET)
    }

    /// POST, with a body of JSON.
    pub fn post(&self, payload: &impl Serialize) -> Call {
        self.call(Method::POST).payload(payload)
    }

    /// POST without a body, until the call is given one ([`form`](Call::form), [`multipart`](Call::multipart),
    /// [`body`](Call::body)).
    pub fn post_empty(&self) -> Call {
        self.call(Method::POST)
    }

    /// PUT, with a body of JSON.
    pub fn put(&self, payload: &impl Serialize) -> Call {
        self.call(Method::PUT).payload(payload)
    }

    /// DELETE. A body, where Connect wants one, is given by [`payload`](Call::payload).
    pub fn delete(&self) -> Call {
        self.call(Method::DELETE)
    }

    /// Any method, without a body until the call is given one.
    pub fn request(&self, method: Method) -> Call {
        self.call(method)
    }
}
