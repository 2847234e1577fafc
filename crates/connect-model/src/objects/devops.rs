use serde_json::{Map, Value};

use super::Reference;
use crate::macros::{object, open_enum};

open_enum! {
    /// Whether an account uses an extension.
    InstallationStatus {
        /// It does.
        Installed = "installed",
        /// It did.
        Uninstalled = "uninstalled",
    }
}

object! {
    /// An extension in an account, for multi-account extensions.
    Installation {
        /// Its id (`EIN-…`).
        id = "id": String,
        /// Whether it is in use.
        status = "status": InstallationStatus,
        /// The account.
        owner = "owner": Option<Reference>,
        /// The account's settings for the extension.
        settings = "settings": Map<String, Value>,
    }

    /// When to run a method of the extension.
    Schedule {
        /// Its id (`EFS-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// What it is for.
        description = "description": Option<String>,
        /// The method to run: the key of a declared one.
        method = "method": String,
        /// Whatever the method wants to know.
        parameter = "parameter": Map<String, Value>,
        /// enabled, disabled, obsolete or pending.
        status = "status": Option<String>,
    }
}
