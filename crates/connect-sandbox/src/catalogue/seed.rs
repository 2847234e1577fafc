//! What a sandbox starts with, and how it gets there.

use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

use super::Catalogue;
use crate::{
    SandboxError,
    store::{Store, StoreError},
};

/// What a sandbox starts with.
#[derive(Debug, Default)]
pub(crate) struct Seed {
    from: Source,
    imports: Vec<PathBuf>,
}

#[derive(Debug, Default)]
enum Source {
    #[default]
    Default,
    File(PathBuf),
    None,
}

/// Collections whose objects are of interest to runners when they change, not because they are there.
const QUIET: [&str; 3] = ["products", "contracts", "listings"];

/// The setting that says that a file has its catalogue.
const BEGUN: &str = "catalogue";

/// A store with the default catalogue, to be copied: hundreds of sandboxes start in tests.
static READY: LazyLock<Result<Mutex<Store>, String>> = LazyLock::new(|| {
    let mut store = Store::memory().map_err(|error| error.to_string())?;
    Seed::default().sow(&mut store).map_err(|error| error.to_string())?;
    Ok(Mutex::new(store))
});

impl Seed {
    pub(crate) fn catalogue(&mut self, file: PathBuf) {
        self.from = Source::File(file);
    }

    pub(crate) fn without_catalogue(&mut self) {
        self.from = Source::None;
    }

    pub(crate) fn import(&mut self, path: PathBuf) {
        self.imports.push(path);
    }

    fn is_default(&self) -> bool {
        matches!(self.from, Source::Default) && self.imports.is_empty()
    }

    /// A store in memory that has it all.
    pub(crate) fn memory(&self) -> Result<Store, SandboxError> {
        if self.is_default() {
            let ready = READY.as_ref().map_err(|error| SandboxError::Store(error.clone()))?;
            // Nothing is left half-way by a panic: it is read alone.
            let ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
            return ready.copy().map_err(|error| unkept(&error));
        }
        let mut store = Store::memory().map_err(|error| unkept(&error))?;
        self.sow(&mut store)?;
        Ok(store)
    }

    /// A store in a file that has it all; one that was made before goes on with what it had.
    pub(crate) fn file(&self, file: &Path) -> Result<Store, SandboxError> {
        let wrong =
            |error: StoreError| SandboxError::StoreFile { path: file.to_owned(), reason: error.to_string() };
        let mut store = Store::open(file).map_err(wrong)?;
        // What was removed of the default one since does not come back.
        let is_begun = store.setting(BEGUN).map_err(|error| unkept(&error))?.is_some();
        if !is_begun || !self.is_default() {
            self.sow(&mut store)?;
            store.set_setting(BEGUN, &true.into()).map_err(|error| unkept(&error))?;
        }
        Ok(store)
    }

    /// Puts it all into a store; what is there already has gone on since, and stays.
    pub(crate) fn sow(&self, store: &mut Store) -> Result<(), SandboxError> {
        let mut catalogue = match &self.from {
            Source::Default => Catalogue::ready()?,
            Source::File(file) => Catalogue::load(file)?,
            Source::None => Catalogue::default(),
        };
        for path in &self.imports {
            catalogue.import(path)?;
        }
        if !matches!(self.from, Source::None) || !self.imports.is_empty() {
            catalogue.link();
        }
        sow(&catalogue, store).map_err(|error| unkept(&error))
    }
}

fn unkept(error: &StoreError) -> SandboxError {
    SandboxError::Store(error.to_string())
}

fn sow(catalogue: &Catalogue, store: &mut Store) -> Result<(), StoreError> {
    for (collection, objects) in catalogue.collections() {
        let is_quiet = QUIET.contains(&collection);
        for (id, object) in objects {
            if store.head(collection, id)?.is_some() {
                continue;
            }
            store.put(collection, object)?;
            if is_quiet {
                store.set_handled(collection, id, 1)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_store_begins_with_the_default_one() {
        let by_copy = Seed::default().memory().unwrap();
        let mut put = Store::memory().unwrap();
        Seed::default().sow(&mut put).unwrap();
        for collection in ["products", "products/PRD-000-100-001/parameters", "listings", "tier/accounts"] {
            let list = by_copy.list(collection).unwrap();
            assert!(!list.is_empty());
            assert_eq!(list, put.list(collection).unwrap(), "{collection}");
        }
        assert_eq!(put.unhandled("products", None, "published").unwrap(), [] as [&str; 0]);
        let mut none = Seed::default();
        none.without_catalogue();
        assert_eq!(none.memory().unwrap().list("products").unwrap(), [] as [serde_json::Value; 0]);
    }

    #[test]
    fn a_file_goes_on_with_what_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sandbox.db");
        let mut store = Seed::default().file(&file).unwrap();
        assert!(store.remove("products", "PRD-000-100-002").unwrap());
        drop(store);
        let store = Seed::default().file(&file).unwrap();
        assert_eq!(store.list("products").unwrap().len(), 1);
        drop(store);
        let more = folder.path().join("more.json");
        std::fs::write(&more, json!({"id": "PRD-9", "name": "More"}).to_string()).unwrap();
        let mut seed = Seed::default();
        seed.without_catalogue();
        seed.import(more);
        assert_eq!(seed.file(&file).unwrap().list("products").unwrap().len(), 2);
    }

    #[test]
    fn what_is_there_stays() {
        let mut store = Store::memory().unwrap();
        let changed = json!({"id": "PRD-000-100-001", "name": "Changed", "status": "endofsale"});
        store.put("products", &changed).unwrap();
        Seed::default().sow(&mut store).unwrap();
        assert_eq!(store.get("products", "PRD-000-100-001").unwrap(), Some(changed));
        assert!(store.get("products", "PRD-000-100-002").unwrap().is_some());
    }
}
