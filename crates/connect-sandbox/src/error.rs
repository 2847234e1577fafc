use std::path::PathBuf;

use crate::api_error::ApiError;

/// Why a sandbox can't do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The address can't be listened on.
    #[error("{address} can't be listened on: {reason}")]
    Address {
        /// The address.
        address: String,
        /// Why.
        reason: String,
    },
    /// A file of requests can't be read.
    #[error("{} can't be read as requests: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file that everything is kept in can't be opened.
    #[error("{} can't be opened as a sandbox's file: {reason}", path.display())]
    StoreFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What is in the sandbox can't be read or kept.
    #[error("the sandbox can't read or keep its data: {0}")]
    Store(String),
    /// A catalogue, or what Connect's API gave, can't be taken.
    #[error("{}: {reason}", path.display())]
    Catalogue {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and where in it.
        reason: String,
    },
    /// An object has no id, so it can't be stored.
    #[error("{0} without an id")]
    NoId(&'static str),
    /// Nothing of that id is there.
    #[error("there is no {0}")]
    NotFound(String),
    /// The task ended without an answer: no runner took it in time, or the one that did never answered.
    #[error("the task was not answered")]
    NotAnswered,
    /// A schedule has a method or trigger that can't be.
    #[error("a wrong schedule: {0}")]
    Schedule(String),
    /// There is no certificate for https.
    #[error("no certificate can be made: {0}")]
    Certificate(String),
    /// The key can't stand in an HTTP header.
    #[error("the key is empty, or has signs other than printable ASCII")]
    Key,
    /// A file of faults can't be read.
    #[error("{} can't be read as faults: {reason}", path.display())]
    Chaos {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A fault that can't be.
    #[error("a wrong fault: {0}")]
    Fault(String),
    /// Connect would not do it.
    #[error("{code}: {reason}")]
    Refused {
        /// Connect's code of the error.
        code: String,
        /// Why.
        reason: String,
    },
    /// A speed has to be above zero, and at most a million.
    #[error("the speed {0} is not above zero and at most a million")]
    Speed(f64),
}

impl SandboxError {
    pub(crate) fn refused(error: &ApiError) -> Self {
        Self::Refused { code: error.code.to_owned(), reason: error.errors.join(" ") }
    }
}
