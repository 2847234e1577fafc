use std::path::PathBuf;

use crate::SandboxBuilder;

/// What a command line says of what is in a sandbox: the same for `connect-sandbox` and the `dev` of an extension.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Contents {
    /// Keep everything in this SQLite file, made where it is not there, and go on from it the next time. By default all
    /// is gone at the end.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Asset requests: a JSON file, or a folder of them. Can be given several times.
    #[arg(long, value_name = "FILE_OR_FOLDER")]
    requests: Vec<PathBuf>,
    /// The catalogue to begin with, in place of the default one: a JSON file.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// What Connect's API gave: JSON in a file, or in the files of a folder. Can be given several times.
    #[arg(long = "import", value_name = "FILE_OR_FOLDER")]
    imports: Vec<PathBuf>,
    /// What goes wrong on purpose: a JSON file of faults.
    #[arg(long, value_name = "FILE")]
    chaos: Option<PathBuf>,
}

impl Contents {
    /// Sets a sandbox up so.
    pub fn apply(self, mut builder: SandboxBuilder) -> SandboxBuilder {
        if let Some(file) = self.file {
            builder = builder.file(file);
        }
        if let Some(file) = self.catalogue {
            builder = builder.catalogue(file);
        }
        if let Some(file) = self.chaos {
            builder = builder.load_chaos(file);
        }
        let builder = self.requests.into_iter().fold(builder, SandboxBuilder::load_requests);
        self.imports.into_iter().fold(builder, SandboxBuilder::import)
    }
}
